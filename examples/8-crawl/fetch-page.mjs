// Fetches one page, appends the pages that it links to, leaves its title as the result. usage: fetch-page.mjs URL
// Exit codes: 44 there is no such page, 75 the site has trouble.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const [url] = process.argv.slice(2)
const answer = await fetch(url).catch((error) => error)
if (!(answer instanceof Response)) end(75, `no answer: ${answer.message}`)
if (answer.status === 404) end(44, 'no such page (404)')
if (!answer.ok) end(75, `the site has trouble (${answer.status})`)
const page = await answer.text()
const links = [...page.matchAll(/href="([^"]+)"/g)].map(([, link]) => new URL(link, url))
if (links.length > 0) addUnits(links.map((link) => ({ url: link.href, host: link.host })))
const title = /<title>([^<]*)<\/title>/.exec(page)?.[1] ?? ''
writeFileSync(process.env.NIGHTKILN_RESULT, JSON.stringify({ title, links: links.length }))

function addUnits(units) {
  const folder = mkdtempSync(join(tmpdir(), 'links-'))
  const file = join(folder, 'links.json')
  writeFileSync(file, JSON.stringify(units))
  const added = spawnSync('nightkiln', ['add-units', 'self', '--units-from', file], { encoding: 'utf8' })
  rmSync(folder, { recursive: true })
  if (added.status !== 0) end(70, `the links were not added: ${added.error?.message ?? added.stderr}`)
}

function end(code, why) {
  console.error(`${url}: ${why}`)
  process.exit(code)
}
