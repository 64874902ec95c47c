import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { countOf, readLedger } from '../support/ledger.mjs'
import { until } from '../support/until.mjs'
import { story } from '../support/workplace.mjs'

const here = (name) => fileURLToPath(new URL(name, import.meta.url))
const clips = ['beach', 'boat', 'cake', 'dog', 'hike']
const text = 'moving pictures '.repeat(600)

await story('Transcode with a pause', async (place) => {
  const { folder } = place
  const videos = join(folder, 'videos')
  const out = join(folder, 'out')
  mkdirSync(videos)
  mkdirSync(out)
  for (const clip of clips) writeFileSync(join(videos, `${clip}.mov`), `0.8\n${text}`)
  writeFileSync(join(folder, 'film.mkv'), `60\n${text}`)
  writeFileSync(join(out, 'cake.mp4'), 'made last year')
  const ledger = join(folder, 'ledger')
  const environment = ['--env', `FFMPEG=${here('ffmpeg.mjs')}`, '--env', `LEDGER=${ledger}`]
  const submit = (...args) => place.cli(['submit', ...environment, ...args])
  const job = async (id) => (await place.cli(['status', id])).jobs[0]

  place.say('A film and five clips, two of them at once.')
  const film = await submit('--name', 'film', '--', here('transcode'), join(folder, 'film.mkv'), join(out, 'film.mp4'))
  const batch = await submit(
    ...['--name', 'clips', '--glob', '*.mov', '--root', videos, '--concurrency', '2', '--timeout', '30s'],
    ...['--', here('transcode'), '{{unit.path}}', join(out, '{{unit.stem}}.mp4')],
  )
  const seen = await until('the film has made progress', async () => {
    const { progress } = await job(film.id)
    return (progress?.percent ?? 0) >= 1 ? progress : null
  })
  place.say(`The film is at ${seen.percent.toFixed(0)} %, as read from what ffmpeg prints.`)
  place.fact('progress', seen)
  place.promise('the length of the film is known from its output', seen.total === 60, seen)

  await until('two clips have started', () => readLedger(ledger).filter(([what]) => what === 'started').length === 3)

  place.say('A call comes in: nightkiln pause --all --freeze')
  const paused = await place.cli(['pause', '--all', '--freeze'])
  place.promise(
    'both jobs are frozen',
    paused.jobs.length === 2 && paused.jobs.every((one) => one.outcome === 'frozen'),
    paused,
  )
  const before = sizes(out)
  await delay(600)
  place.promise('nothing moves', same(before, sizes(out)), [before, sizes(out)])
  place.killManager()
  place.say('The manager is killed in the meantime (kill -9) and starts again with the next command.')
  const frozen = await job(film.id)
  place.promise('the film is still paused', frozen.state === 'paused', frozen.why)
  place.say(`${frozen.why}.`)
  await delay(600)
  place.promise('still nothing moves', same(before, sizes(out)), [before, sizes(out)])

  place.say('The call is over: nightkiln resume --all')
  for (const clip of clips) writeFileSync(join(videos, `${clip}.mov.rest`), '')
  await place.cli(['resume', '--all'])
  await until('the film moves on', () => sizeOf(out, 'film') > before.find(([name]) => name.startsWith('film'))[1])
  const ended = await place.ended(batch.id)
  place.say(`The clips: ${ended.why}.`)
  place.fact('clips', ended)
  place.promise(
    'every clip is whole',
    clips.every((clip) => isWhole(join(out, `${clip}.mp4`), clip)),
  )
  const starts = countOf(readLedger(ledger).map(([what, name]) => `${what} ${name}`))
  place.promise(
    'nothing was started twice',
    [...starts.values()].every((times) => times === 1),
    [...starts],
  )
  place.promise('what was there already was skipped', starts.get('skipped cake.mov') === 1)

  place.say('The film is not wanted after all: nightkiln cancel')
  const { progress } = await job(film.id)
  await place.cli(['cancel', film.id])
  const cancelled = await place.ended(film.id)
  place.say(`${cancelled.why}, at ${progress?.percent?.toFixed(0)} %.`)
  place.fact('film', cancelled)
  place.promise('the film is cancelled', cancelled.state === 'cancelled')
  place.promise(
    'no half file is left',
    same(
      readdirSync(out).sort(),
      clips.map((clip) => `${clip}.mp4`),
    ),
    readdirSync(out),
  )
})

function sizes(out) {
  return readdirSync(out)
    .sort()
    .map((name) => [name, statSync(join(out, name)).size])
}

function sizeOf(out, stem) {
  return sizes(out).find(([name]) => name.startsWith(stem))?.[1] ?? 0
}

function isWhole(file, clip) {
  return readFileSync(file, 'utf8') === (clip === 'cake' ? 'made last year' : text.toUpperCase())
}

function same(left, right) {
  return JSON.stringify(left) === JSON.stringify(right)
}
