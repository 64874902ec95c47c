import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readLedger } from '../support/ledger.mjs'
import { story } from '../support/workplace.mjs'

const suite = fileURLToPath(new URL('test-suite', import.meta.url))
const atOnce = 4

await story('200 runs to catch a flaky test', async (place) => {
  const ledger = join(place.folder, 'ledger')
  const chat = await place.openChat()
  const ended = async (id) => (await chat.call('wait_for_jobs', { ids: [id], timeout_s: 45 })).jobs[0]

  place.say('A chat submits the suite 200 times and says: stop after five failures.')
  const soak = await chat.call('submit_job', {
    name: 'soak',
    params: { argv: [suite, '{{unit}}'], cwd: place.folder, env: { LEDGER: ledger } },
    source: { kind: 'range', from: 1, to: 200 },
    concurrency: atOnce,
    max_failed_units: 4,
    stop_early: true,
  })
  const job = await ended(soak.id)
  place.say(`It ended: ${job.why}.`)
  place.fact('soak', job)
  const seeds = readLedger(ledger).map(([, seed]) => Number(seed))
  place.promise('it failed after the fifth failure', job.state === 'failed' && job.counts.failed === 5, job.counts)
  const { completed, failed, cancelled } = job.counts
  place.promise('the rest was cancelled', completed + failed + cancelled === 200 && cancelled > 80, job.counts)
  place.promise('nothing was started after that', seeds.length <= completed + failed + atOnce, [
    seeds.length,
    job.counts,
  ])
  place.promise('no seed ran twice', new Set(seeds).size === seeds.length)

  const failures = await chat.call('list_units', { id: soak.id, states: ['failed'] })
  place.fact('failures', failures)
  const failing = failures.units.map((unit) => JSON.parse(unit.untrusted_input))
  for (const { signature, count, units } of failures.failure_groups)
    place.say(`${count} × ${signature}; seeds ${units.map((unit) => unit + 1).join(', ')}.`)
  place.promise(
    'the failures fall into two groups: four and one',
    failures.failure_groups.map(({ count }) => count).join() === '4,1',
    failures.failure_groups,
  )
  place.promise('the seeds that failed are known', failing.join() === '17,40,63,86,109', failing)

  place.say('Just these seeds run again, with --debug.')
  const again = await chat.call('rerun_job', {
    id: soak.id,
    units: failures.units.map((unit) => unit.unit),
    overrides: { params: { argv: [suite, '{{unit}}', '--debug'] }, max_failed_units: 5 },
  })
  const rerun = await ended(again.id)
  place.say(`“${rerun.name}”: ${rerun.why}.`)
  place.fact('rerun', rerun)
  const debugged = readLedger(ledger)
    .filter(([, , mode]) => mode === '--debug')
    .map(([, seed]) => Number(seed))
  place.promise(
    'the five seeds ran again and nothing else',
    debugged.sort((a, b) => a - b).join() === failing.join(),
    debugged,
  )
  const log = await chat.call('job_logs', { id: again.id, unit: 2, grep: 'DEBUG' })
  place.line(`    ${log.untrusted_output.trim()}`)
  place.promise('the log of a re-run seed has its debug output', log.untrusted_output.includes('seed 63'), log)
  const { jobs } = await chat.call('job_status', { ids: [again.id], detail: 'full' })
  place.promise(
    'the re-run is linked and says what differs',
    jobs[0].rerun_of === soak.id && jobs[0].changes.some(({ path }) => path.includes('argv')),
    jobs[0].changes,
  )
  place.fact('changes', jobs[0].changes)
})
