import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { countOf, readLedger } from '../support/ledger.mjs'
import { until } from '../support/until.mjs'
import { story } from '../support/workplace.mjs'

const everySeconds = 2
const asleepSeconds = 7
const name = 'nightly report'

await story('A nightly report with a missed run', async (place) => {
  const reports = join(place.folder, 'reports')
  mkdirSync(reports)
  writeFileSync(join(reports, 'ledger'), '')
  const ledger = () => readLedger(join(reports, 'ledger'))

  const evening = await place.openChat()
  const made = await evening.call('schedule_job', {
    name,
    every_s: everySeconds,
    missed: 'once',
    overlap: 'queue',
    job: {
      name: 'report',
      params: { argv: [fileURLToPath(new URL('report', import.meta.url))], cwd: place.folder, env: { REPORTS: reports } },
    },
  })
  place.say(`A chat makes the schedule “${name}”; next due at ${made.schedule.next_runs.map(clock).join(', ')}.`)
  await until('two reports', () => ledger().length >= 2)
  await evening.close()

  place.say(`The laptop sleeps for ${asleepSeconds} s, with the app closed.`)
  await place.cli(['manager', 'stop'])
  const asleepFrom = Date.now()
  const before = ledger().length
  await delay(asleepSeconds * 1000)
  place.promise('nothing ran meanwhile', ledger().length === before)
  const awakeAt = Date.now()

  const morning = await place.openChat()
  const news = await morning.call('whats_new')
  place.say(`It is opened again. A new chat asks what is new: ${news.counts.finished} reports, ${news.counts.missed_runs} missed.`)
  for (const missed of news.missed_runs) place.line(`    due at ${clock(missed.due_at)}: ${missed.outcome}, ${missed.why}`)
  const history = await until('the schedule goes on', async () => {
    const { schedules } = await morning.call('list_schedules', { name, history: 100 })
    const [schedule] = schedules
    return Date.parse(schedule.history[0].due_at) > awakeAt ? schedule.history : null
  })
  const told = await morning.call('whats_new')
  await morning.call('remove_schedule', { name })
  await until('the last report is done', async () => {
    const { jobs } = await morning.call('list_jobs', { states: ['unfinished'] })
    return jobs.length === 0
  })

  const { schedules } = await morning.call('list_schedules')
  const { jobs } = await morning.call('list_jobs', { limit: 100 })
  const runs = history.toReversed()
  const asleep = runs.filter(({ due_at: due }) => Date.parse(due) > asleepFrom && Date.parse(due) < awakeAt)
  const submitted = asleep.filter(({ outcome }) => outcome === 'submitted')
  place.fact('runs', runs)
  place.fact('asleep', asleep)
  place.fact('told', told)
  place.promise('due times passed while it slept', asleep.length >= 3, asleep)
  place.promise('exactly one run caught up', submitted.length === 1, asleep)
  place.promise('the others are recorded as missed', asleep.filter(({ outcome }) => outcome === 'missed').length === asleep.length - 1, asleep)
  place.promise('the new chat is told of each of them', told.missed_runs.length === asleep.length - 1, told.missed_runs)
  const gaps = runs.slice(1).map(({ due_at: due }, index) => Date.parse(due) - Date.parse(runs[index].due_at))
  place.promise('no due time is missing or there twice', gaps.every((gap) => gap === everySeconds * 1000), gaps)
  place.promise('each submitted run made one job and one report', jobs.length === ledger().length && [...countOf(ledger().map(([, id]) => id)).values()].every((times) => times === 1), [jobs.length, ledger().length])
  place.promise('once removed it is gone; its jobs stay', schedules.length === 0 && jobs.length > 0)
})

function clock(time) {
  return time.slice(11, 19)
}
