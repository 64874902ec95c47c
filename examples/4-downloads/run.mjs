import { createHash } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readLedger } from '../support/ledger.mjs'
import { seededRandom } from '../support/seeded-random.mjs'
import { startSite } from '../support/site.mjs'
import { until } from '../support/until.mjs'
import { story } from '../support/workplace.mjs'

const here = (name) => fileURLToPath(new URL(name, import.meta.url))
const perHost = 10
const perSecond = 8
const bigBytes = 400_000

await story('Resumable downloads with limits per host', async (place) => {
  const { folder } = place
  const files = contents()
  const site = await startSite(2, (request) => serve(files, request))
  place.atEnd(() => site.close())
  const ledger = join(folder, 'ledger')
  const rows = [...files].map(([key, bytes]) => {
    const [host, path] = [Number(key[0]), key.slice(1)]
    const name = `${host}-${path.slice(1)}`
    return [`http://${site.hosts[host]}${path}`, site.hosts[host], join(folder, name), sha256(bytes)]
  })
  rows.push([`http://${site.hosts[0]}/gone.bin`, site.hosts[0], join(folder, 'gone.bin'), sha256(Buffer.alloc(0))])
  writeFileSync(join(folder, 'urls.csv'), ['url,host,file,sha256', ...rows.map((row) => row.join(','))].join('\n'))

  place.say(`nightkiln submit --csv urls.csv: ${rows.length} files from two hosts.`)
  const { id } = await place.cli([
    ...['submit', '--name', 'data set', '--csv', 'urls.csv', '--env', `LEDGER=${ledger}`],
    ...['--per-key', '{{unit.host}}', '--per-key-concurrency', '2', '--per-key-rate', `${perSecond}/s`],
    ...['--max-attempts', '4', '--backoff-initial', '0.1s', '--backoff-max', '0.5s'],
    ...['--rejected-exit-codes', '44', '--max-failed', '1'],
    ...['--final-params', JSON.stringify({ argv: [process.execPath, here('manifest.mjs')] })],
    ...['--', process.execPath, here('download.mjs'), '{{unit.url}}', '{{unit.file}}', '{{unit.sha256}}'],
  ])

  const big = join(folder, '0-big.bin')
  await until(
    'the big file is half there',
    () => statSync(`${big}.part`, { throwIfNoEntry: false })?.size === bigBytes / 2,
  )
  const [, , , pid, runner] = readLedger(ledger).find(([, file]) => file === big)
  place.say(`The power fails for one download: kill -9 of ${pid} and its runner.`)
  process.kill(Number(runner), 'SIGKILL')
  process.kill(Number(pid), 'SIGKILL')

  const ended = await place.ended(id)
  place.say(`It ended: ${ended.why}.`)
  place.fact('ended', ended)
  place.promise(
    'everything came but the file that is gone',
    ended.state === 'completed_with_failures' &&
      ended.counts.completed === rows.length - 1 &&
      ended.counts.failed === 1,
    ended.counts,
  )
  place.promise(
    'every file is whole',
    [...files].every(([key, bytes]) => readFileSync(join(folder, `${key[0]}-${key.slice(2)}`)).equals(bytes)),
  )

  const of = (host, path) => site.requests.filter((one) => one.host === host && one.path === path)
  place.promise(
    'the killed download went on where it was',
    of(0, '/big.bin').length === 2 && of(0, '/big.bin')[1].offset === bigBytes / 2,
    of(0, '/big.bin'),
  )
  place.promise('503 was tried again', of(1, '/shaky.bin').length === 3, of(1, '/shaky.bin'))
  place.promise('404 was not', of(0, '/gone.bin').length === 1, of(0, '/gone.bin'))
  place.promise(
    'the file with the wrong checksum was fetched anew',
    of(1, '/rotten.bin')
      .map(({ offset }) => offset)
      .join() === '0,0',
    of(1, '/rotten.bin'),
  )
  place.promise(
    'never more than two connections to a host',
    site.most.every((most) => most <= 2),
    site.most,
  )
  place.fact('connections', site.most)

  const { units } = await place.cli(['units', id, '--full', '--limit', '200'])
  const tightest = site.hosts.map((host) => shortestSpan(startsOf(units, host)))
  place.promise(
    `never more than ${perSecond} starts a second to a host`,
    tightest.every((ms) => ms >= 990),
    tightest,
  )
  place.fact('units', units)

  const final = units.find((unit) => unit.final_step)
  const { result } = await place.cli(['result', id, '--unit', String(final?.unit)])
  const manifest = result?.result ?? result
  place.fact('manifest', manifest)
  place.promise(
    'the manifest is the result of the final step',
    manifest?.files?.length === rows.length - 1 && manifest.missing.length === 1,
    result,
  )
})

/** Files by host and path: nine small ones and a few special ones a host. */
function contents() {
  const random = seededRandom(4)
  const bytes = (length) => Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)))
  const files = new Map([
    ['0/big.bin', bytes(bigBytes)],
    ['1/shaky.bin', bytes(9_000)],
    ['1/rotten.bin', bytes(9_000)],
  ])
  for (let number = 0; number < 2 * perHost - 3; number += 1)
    files.set(`${number % 2}/part-${number}.bin`, bytes(5_000))
  return files
}

function serve(files, { host, path, offset, times, response }) {
  const bytes = files.get(`${host}${path}`)
  if (bytes === undefined) return response.writeHead(404).end()
  if (path === '/shaky.bin' && times < 2) return response.writeHead(503).end()
  const body = path === '/rotten.bin' && times === 0 ? Buffer.alloc(bytes.length) : bytes.subarray(offset)
  response.writeHead(offset === 0 ? 200 : 206, { 'content-length': body.length })
  // The first time the second half never comes: whoever asked is killed over it.
  if (path === '/big.bin' && times === 0) response.write(body.subarray(0, bigBytes / 2))
  else response.end(body)
}

function startsOf(units, host) {
  return units
    .filter((unit) => unit.untrusted_input.includes(`${host}/`))
    .flatMap((unit) => unit.attempt_history.map((attempt) => Date.parse(attempt.started_at)))
    .sort((left, right) => left - right)
}

/** @returns the shortest time in which one start more happened than a second allows, ms */
function shortestSpan(starts) {
  return Math.min(...starts.slice(perSecond).map((at, index) => at - starts[index]))
}

function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex')
}
