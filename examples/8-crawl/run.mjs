import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { countOf } from '../support/ledger.mjs'
import { seededRandom } from '../support/seeded-random.mjs'
import { startSite } from '../support/site.mjs'
import { until } from '../support/until.mjs'
import { story } from '../support/workplace.mjs'

const fetchPage = fileURLToPath(new URL('fetch-page.mjs', import.meta.url))
const pagesPerHost = 9
const isGone = (page) => page === '1/page-7'
const isShaky = (page) => page === '0/page-5'

await story('A polite crawl that finds its own work', async (place) => {
  const { folder } = place
  const links = linksOfPages()
  const site = await startSite(2, (request) => void serve(links, site, request))
  const down = await startSite(1, ({ response }) => response.writeHead(500).end())
  place.atEnd(() => Promise.all([site.close(), down.close()]))
  const polite = ['--unit-key', '{{unit.url}}', '--per-key', '{{unit.host}}', '--per-key-concurrency', '1']
  const tries = [
    '--max-attempts',
    '3',
    '--backoff-initial',
    '0.1s',
    '--backoff-max',
    '0.2s',
    '--rejected-exit-codes',
    '44',
  ]
  const crawl = (name, ...options) =>
    place.cli([
      ...['submit', '--name', name, ...polite, ...options, '--max-failed', '10%'],
      ...['--', process.execPath, fetchPage, '{{unit.url}}'],
    ])

  place.say('The crawl begins with one page.')
  const start = { url: `http://${site.hosts[0]}/page-0`, host: site.hosts[0] }
  const { id } = await crawl('crawl', '--unit', JSON.stringify(start), ...tries)
  await until('some pages are read', () => site.requests.length >= 6)
  await place.cli(['pause', id])
  const paused = await until('what ran has ended', async () => {
    const [job] = (await place.cli(['status', id])).jobs
    return job.state === 'paused' ? job : null
  })
  const read = site.requests.length
  place.say(
    `Paused after ${read} requests: ${paused.counts.total} pages are known by now. The manager is killed and started.`,
  )
  place.killManager()
  await place.cli(['manager', 'start'])
  await delay(500)
  const still = (await place.cli(['status', id])).jobs[0]
  place.promise(
    'paused over the restart: no request meanwhile',
    still.state === 'paused' && site.requests.length === read,
    still.why,
  )

  await place.cli(['resume', id])
  const ended = await place.ended(id)
  place.say(`Resumed; it ended: ${ended.why}.`)
  place.fact('ended', ended)
  const known = reachable(links)
  const asked = countOf(site.requests.map(({ host, path }) => `${host}${path}`))
  place.fact('requests', Object.fromEntries(asked))
  place.fact('most', site.most)
  place.promise('every page that is linked was found', ended.counts.total === known.size && asked.size === known.size, [
    ended.counts,
    known.size,
  ])
  place.promise(
    'each was asked for once, the shaky one until it answered',
    [...asked].every(([page, times]) => times === (isShaky(page) ? 3 : 1)),
    [...asked],
  )
  place.promise(
    'one request at a time to a host',
    site.most.every((most) => most === 1),
    site.most,
  )
  place.promise(
    'one page is gone, which is under 10 %',
    ended.state === 'completed_with_failures' && ended.counts.failed === 1,
    ended.counts,
  )

  const file = join(folder, 'pages.jsonl')
  await place.cli(['export', id, '--units', '--output', file])
  const rows = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  place.say(`nightkiln export --units --output pages.jsonl: ${rows.length} lines, such as`)
  const { key, state, result } = rows[0]
  place.line(`    ${JSON.stringify({ key, state, result })}`)
  place.fact('rows', rows)
  place.promise(
    'the export has each page once',
    rows.length === known.size && new Set(rows.map((row) => row.key)).size === known.size,
  )
  place.promise(
    'it has the titles',
    rows
      .filter((row) => row.state === 'completed')
      .every((row) => (row.result.result ?? row.result).title.startsWith('Page')),
    rows[0],
  )

  place.say('Another site is down: 60 pages, more than 10 % fail.')
  const hopeless = await crawl('crawl of a dead site', '--json-file', listOfPages(folder, down.hosts[0], 60))
  const stopped = await place.ended(hopeless.id)
  place.say(`${stopped.why}.`)
  place.fact('stopped', stopped)
  place.promise('it stopped early', stopped.state === 'failed' && stopped.counts.cancelled >= 40, stopped.counts)
  place.fact('requestsOfDeadSite', down.requests.length)
})

/** Every page links to a few others of both hosts; page 1 of each host is linked by page 0 of the same. */
function linksOfPages() {
  const random = seededRandom(8)
  const links = new Map()
  for (let host = 0; host < 2; host += 1) {
    for (let page = 0; page < pagesPerHost; page += 1) {
      const some = Array.from(
        { length: 3 },
        () => `${Math.floor(random() * 2)}/page-${Math.floor(random() * pagesPerHost)}`,
      )
      const next = page + 1 < pagesPerHost ? [`${host}/page-${page + 1}`] : []
      links.set(`${host}/page-${page}`, [...next, ...some, ...(page === 0 ? ['0/page-0', '1/page-0'] : [])])
    }
  }
  return links
}

/** @returns the pages that are found from page 0 of host 0; a page that is gone shows no links */
function reachable(links) {
  const found = new Set(['0/page-0'])
  for (const page of found) if (!isGone(page)) for (const link of links.get(page)) found.add(link)
  return found
}

function listOfPages(folder, host, count) {
  const file = join(folder, 'dead.json')
  writeFileSync(file, JSON.stringify(Array.from({ length: count }, (_, at) => ({ url: `http://${host}/${at}`, host }))))
  return file
}

async function serve(links, site, { host, path, times, response }) {
  const page = `${host}${path}`
  await delay(30)
  if (isGone(page)) return response.writeHead(404).end()
  if (isShaky(page) && times < 2) return response.writeHead(503).end()
  const anchors = links.get(page).map((link) => `<a href="http://${site.hosts[link[0]]}${link.slice(1)}">${link}</a>`)
  response.writeHead(200, { 'content-type': 'text/html' }).end(`<title>Page ${page}</title>${anchors.join('\n')}`)
}
