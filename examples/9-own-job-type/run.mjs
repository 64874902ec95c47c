import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { until } from '../support/until.mjs'
import { story } from '../support/workplace.mjs'

const here = (name) => fileURLToPath(new URL(`handlers/${name}`, import.meta.url))
const words = ['ash', 'clay', 'cone', 'fire', 'glaze', 'heat', 'kiln', 'night']

await story('A job type of one’s own', async (place) => {
  const { folder, home } = place
  const handlers = join(home, 'config', 'handlers')
  const job = async (id) => (await place.cli(['status', id])).jobs[0]
  const index = (root, pattern, ...more) =>
    place.cli(['submit', '--type', 'word_index', '--root', root, '--glob', pattern, ...more])

  place.say('nightkiln new-handler first: a handler that works, with its test')
  const first = await place.cli(['new-handler', 'first'])
  place.promise('it can be submitted at once', first.problem === null, first)
  const [program, ...args] = first.test_command.split(' ')
  const tested = spawnSync(program, args, { cwd: handlers, env: place.environment, encoding: 'utf8', timeout: 60_000 })
  place.promise('its test passes', tested.status === 0, tested.stdout)

  place.say('A file is dropped into the handler directory while everything runs.')
  copyFileSync(here('word_index.ts'), join(handlers, 'word_index.ts'))
  const { types } = await place.cli(['types', 'word_index'])
  place.fact('type', types[0])
  place.promise('the next call knows it', types[0]?.source === join(handlers, 'word_index.ts'), types)

  const books = join(folder, 'books')
  mkdirSync(books)
  for (const [at, word] of words.entries())
    writeFileSync(join(books, `${word}.txt`), `${words.slice(at).join(' ')}\n`.repeat(20_000))
  writeFileSync(join(books, 'picture.txt'), Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0]))
  place.say('nightkiln submit --type word_index --glob "*.txt": nine files, one of them a picture')
  const batch = await index(books, '*.txt', '--max-failed', '1')
  const ended = await place.ended(batch.id)
  place.fact('batch', ended)
  place.say(`It ended: ${ended.why}.`)
  const { units } = await place.cli(['units', batch.id, '--state', 'failed'])
  place.promise(
    'the picture was refused once and not tried again',
    units.length === 1 && units[0].attempts === 1 && units[0].error.code === 'handler_rejected',
    units,
  )
  place.promise('the texts are counted', ended.counts.completed === 8, ended.counts)

  const long = join(folder, 'long')
  mkdirSync(long)
  writeFileSync(join(long, 'long.txt'), `${words.join(' ')}\n`.repeat(150_000))
  place.say('A long one. In the middle the process that runs it is killed with SIGKILL.')
  const tale = await index(long, 'long.txt', '--param', 'pause_ms=400')
  const seen = await until('it has saved where it is', async () => {
    const { progress } = await job(tale.id)
    return (progress?.percent ?? 0) > 20 ? progress : null
  })
  for (const pid of hostsOf(home)) process.kill(pid, 'SIGKILL')
  place.say(`It was at ${seen.percent.toFixed(0)} %.`)
  const told = await place.ended(tale.id)
  const { result, artifacts } = await place.cli(['result', tale.id])
  const log = (await place.cli(['logs', tale.id])).untrusted_output
  place.fact('tale', { ...told, result, log })
  place.promise('the second attempt completed it', told.state === 'completed' && told.attempts === 2, told)
  place.promise('it went on where the first one had saved', /going on .*"position":[1-9]/.test(log), log)
  place.promise(
    'every word was counted once',
    result.distinct === 8 && result.top.every(({ times }) => times === 150_000),
    result,
  )
  const lines = readFileSync(artifacts[0].path, 'utf8').trim().split('\n')
  place.promise(
    'the index is kept as a file of the job',
    artifacts[0].name === 'index.tsv' && lines.length === 8,
    lines,
  )

  place.say('Another one is cancelled.')
  const unwanted = await index(long, 'long.txt', '--param', 'pause_ms=10000')
  await until('it runs', async () => (await job(unwanted.id)).progress !== null)
  const begun = performance.now()
  await place.cli(['cancel', unwanted.id])
  const cancelled = await place.ended(unwanted.id)
  const seconds = (performance.now() - begun) / 1000
  place.promise('it ended at once', cancelled.state === 'cancelled' && seconds < 5, [cancelled.state, seconds])

  place.say('A typing error gets into the file.')
  const source = readFileSync(here('word_index.ts'), 'utf8')
  writeFileSync(join(handlers, 'word_index.ts'), source.replace('defineHandler({', 'defineHandler({ oops'))
  const refused = await place.tryCli(['submit', '--type', 'word_index', '--root', books, '--glob', 'ash.txt'])
  place.promise(
    'a submit is refused and says which line',
    /word_index\.ts .*line \d+, column \d+/.test(refused.problem),
    refused.problem,
  )
  writeFileSync(join(handlers, 'word_index.ts'), source)
  const mended = await place.ended((await index(books, 'ash.txt')).id)
  place.promise('once it is corrected, the next submit works', mended.state === 'completed', mended)
})

/** @returns pids of the processes that run handlers now */
function hostsOf(home) {
  return readdirSync(join(home, 'hosts'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => JSON.parse(readFileSync(join(home, 'hosts', entry.name, 'host.json'), 'utf8')).pid)
}
