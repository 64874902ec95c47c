import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { countOf, readLedger } from '../support/ledger.mjs'
import { until } from '../support/until.mjs'
import { story } from '../support/workplace.mjs'

const here = (name) => fileURLToPath(new URL(name, import.meta.url))
const managerMain = here('../../dist/manager/process/main.js')
const name = 'nightly report'

await story('A nightly report with a missed run', async (place) => {
  const reports = join(place.folder, 'reports')
  mkdirSync(reports)
  writeFileSync(join(reports, 'ledger'), '')
  const ledger = () => readLedger(join(reports, 'ledger'))

  await startManager(place, '2031-05-03T22:15:00+02:00')
  const evening = await place.openChat()
  const made = await evening.call('schedule_job', {
    name,
    cron: '0 6 * * *',
    time_zone: 'Europe/Berlin',
    missed: 'once',
    job: { name: 'report', params: { argv: [here('report')], cwd: place.folder, env: { REPORTS: reports } } },
  })
  place.say(`A chat makes the schedule “${name}”. Next: ${made.schedule.next_runs.join(', ')}.`)
  place.promise(
    'it is due at 06:00 in Berlin',
    made.schedule.next_runs[0] === '2031-05-04T04:00:00.000Z',
    made.schedule.next_runs,
  )
  await evening.close()
  await place.cli(['manager', 'stop'])

  await startManager(place, '2031-05-04T05:59:58+02:00')
  await until('the report of the first morning', () => ledger().length === 1)
  place.say('The report of May 4 is there. The chat is closed, the laptop shut for three nights.')
  const breakfast = await place.openChat()
  const first = await until('the digest has the report', async () => {
    const digest = await breakfast.call('whats_new')
    return digest.counts.finished === 1 ? digest : null
  })
  await breakfast.call('whats_new', { acknowledge: first.cursor })
  await breakfast.close()
  await place.cli(['manager', 'stop'])

  await startManager(place, '2031-05-07T08:30:00+02:00')
  const morning = await place.openChat()
  await until('the run that catches up', () => ledger().length >= 2)
  const news = await until('the digest has all of it', async () => {
    const digest = await morning.call('whats_new')
    return digest.counts.finished > 0 && digest.counts.missed_runs > 0 ? digest : null
  })
  place.say(
    `May 7, 08:30. A new chat asks what is new: ${news.counts.finished} report, ${news.counts.missed_runs} missed.`,
  )
  for (const missed of news.missed_runs)
    place.line(`    ${missed.schedule}, due ${missed.due_at}: ${missed.outcome}, ${missed.why}`)
  place.fact('news', news)
  await morning.close()
  await place.cli(['manager', 'stop'])

  await startManager(place, '2031-05-08T05:59:58+02:00')
  await until('the report of the next morning', () => ledger().length >= 3)
  const later = await place.openChat()
  const { schedules } = await until('it is recorded', async () => {
    const answer = await later.call('list_schedules', { name, history: 100 })
    return answer.schedules[0].history[0].job_state === 'completed' ? answer : null
  })
  const runs = schedules[0].history.toReversed()
  place.say('May 8, 06:00: all that became of the due times:')
  for (const { due_at: due, outcome, job_id: id } of runs) place.line(`    ${due}  ${outcome}  ${id ?? ''}`)
  place.fact('runs', runs)
  const expected = ['04 submitted', '05 missed', '06 missed', '07 submitted', '08 submitted']
  const found = runs.map(({ due_at: due, outcome }) => `${due.slice(8, 10)} ${outcome}`)
  place.promise(
    'one run caught up, two are recorded as missed, the next morning is as always',
    same(found, expected),
    found,
  )
  const missed = news.missed_runs.map(({ due_at: due }) => due.slice(8, 10))
  place.promise('the new chat was told of the two', same(missed, ['05', '06']), news.missed_runs)
  const { jobs } = await later.call('list_jobs')
  const ids = runs.flatMap(({ job_id: id }) => id ?? [])
  const made3 = countOf(ledger().map(([, id]) => id))
  place.promise(
    'each run made one job and one report',
    jobs.length === 3 && ids.length === 3 && ids.every((id) => made3.get(id) === 1),
    jobs,
  )

  await later.call('remove_schedule', { name })
  const left = await later.call('list_schedules')
  const kept = await later.call('list_jobs')
  place.promise('once removed it is gone; its jobs stay', left.schedules.length === 0 && kept.jobs.length === 3)
})

/** Starts a manager that lives at another time, and waits until it leads. */
async function startManager(place, time) {
  const { NIGHTKILN_HOME, ...environment } = place.environment
  const manager = spawn(process.execPath, ['--import', here('later-clock.mjs'), managerMain], {
    cwd: place.home,
    detached: true,
    stdio: 'ignore',
    env: {
      ...environment,
      NIGHTKILN_HOME,
      NIGHTKILN_PROCESS: 'manager',
      CLOCK_AHEAD_MS: String(Date.parse(time) - Date.now()),
    },
  })
  manager.unref()
  await until('the manager leads', () => {
    const file = place.managerFile()
    return file?.pid === manager.pid && file.state === 'leading'
  })
}

function same(left, right) {
  return JSON.stringify(left) === JSON.stringify(right)
}
