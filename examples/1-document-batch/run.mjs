import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { countOf, readLedger } from '../support/ledger.mjs'
import { until } from '../support/until.mjs'
import { story } from '../support/workplace.mjs'
import { longOnes, unreadable, writeDocuments } from './documents.mjs'

const count = 500
const here = (name) => fileURLToPath(new URL(name, import.meta.url))

await story('500 documents to one table', async (place) => {
  const contracts = writeDocuments(join(place.folder, 'contracts'), count)
  const service = join(place.folder, 'service')
  mkdirSync(service)
  const table = join(place.folder, 'table.csv')
  const ledger = () => readLedger(join(service, 'ledger'))
  const answers = () => ledger().filter(([what]) => what === 'done' || what === 'refused')
  const answered = () => answers().length

  const first = await place.openChat()
  place.say('A chat submits every contract, the first three as a test.')
  const submitted = await first.call('submit_job', {
    name: 'read contracts',
    params: {
      argv: [here('llm'), '{{unit.path}}'],
      cwd: place.folder,
      env: { SERVICE: service, LLM_MODEL: 'small' },
    },
    source: { kind: 'glob', pattern: '*.txt', root: contracts, exclude: ['draft-*'] },
    concurrency: 4,
    test_first: 3,
    max_failed_units: 10,
    rate_limited: { text: '429' },
    final_step: { params: { argv: [process.execPath, here('summarise.mjs'), table] } },
  })
  const held = await until('the test units ended', async () => {
    const { jobs } = await first.call('job_status', { ids: [submitted.id] })
    return jobs[0].state === 'awaiting_approval' ? jobs[0] : null
  })
  const { review } = held
  place.fact('review', review)
  place.say(
    `${held.why}. They cost ${review.cost}; the rest will cost ${review.rest_cost} and take ${review.rest_seconds} s.`,
  )
  for (const { result } of review.results) place.line(`    ${JSON.stringify(result)}`)
  place.promise('only the three test units ran', answered() === 3, answered())
  place.promise(
    'the glob found the contracts and left the drafts out',
    review.units_waiting === count - 3,
    review.units_waiting,
  )
  place.promise('the review shows the cost so far and of the rest', review.cost === 0.06 && review.rest_cost === 9.94)
  await first.call('decide_job', { id: submitted.id, decision: 'approve' })

  await until(
    'four long ones are being read',
    () => countOf(ledger().map(([what]) => what)).get('reading') === longOnes.length,
  )
  const { epoch } = place.managerFile()
  place.say(
    `${answered()} answered. The lid is closed: kill -9 of chat, MCP server and manager ${place.managerFile().pid}.`,
  )
  await first.kill()
  place.killManager()
  const atDeath = answered()
  await until('the work goes on with nobody there', () => answered() >= atDeath + 30)
  place.promise('a new manager took over by itself', place.managerFile().epoch > epoch)

  place.say('A new chat, which knows no id, asks how it is going.')
  const second = await place.openChat()
  const news = await second.call('whats_new')
  const [line] = news.unfinished
  place.promise('whats_new tells of the job', line?.id === submitted.id, news)
  const { jobs } = await second.call('job_status', { ids: [line.id] })
  place.say(`“${line.name}”: ${line.why}; about ${Math.round(jobs[0].eta?.seconds ?? -1)} s to go.`)
  place.fact('resumed', jobs[0])

  let wait = await second.call('wait_for_jobs', { ids: [line.id], timeout_s: 40 })
  for (let round = 0; !wait.satisfied && round < 4; round += 1)
    wait = await second.call('wait_for_jobs', { ids: [line.id], timeout_s: 40, cursor: wait.cursor })
  const ended = wait.jobs[0]
  place.say(`It ended: ${ended.why}.`)
  place.fact('ended', ended)
  const limited = ledger().filter(([what]) => what === 'limited')
  place.promise('496 completed, 4 failed, within the failure budget', ended.state === 'completed_with_failures')
  place.promise('the service said 429, and it counted as no failure', limited.length > 0 && ended.counts.failed === 4)
  place.promise(
    'while the lane waited nothing was sent: at most four calls met a closed service each time',
    limited.length <= 8,
    limited,
  )
  const byName = countOf(answers().map(([, name]) => name))
  const twice = [...byName].filter(([, times]) => times !== 1)
  place.promise('every document was answered exactly once', byName.size === count && twice.length === 0, twice)

  const failures = await second.call('list_units', { id: line.id, states: ['failed'] })
  place.say('What failed, by what the failures have in common:')
  for (const { signature, count: times } of failures.failure_groups) place.line(`    ${times} × ${signature}`)
  place.fact('failure_groups', failures.failure_groups)
  const names = failures.units.map((unit) => JSON.parse(unit.untrusted_input).name).sort()
  place.promise(
    'the four that failed are known with reasons',
    same(names, [...unreadable.keys()]) && failures.failure_groups.length === 2,
    failures,
  )
  place.promise(
    'the table has a row for each document that was read',
    rows(table).length === count - 4,
    rows(table).length,
  )

  place.say('Only these run again, with the larger model.')
  const again = await second.call('rerun_job', {
    id: line.id,
    only: 'failed',
    overrides: { params: { env: { SERVICE: service, LLM_MODEL: 'large' } } },
  })
  const rerun = (await second.call('wait_for_jobs', { ids: [again.id], timeout_s: 40 })).jobs[0]
  place.say(`“${rerun.name}”: ${rerun.why}.`)
  place.fact('rerun', rerun)
  place.promise(
    'the re-run did the four and nothing else',
    rerun.state === 'completed' && rerun.counts.total === 4,
    rerun.why,
  )
  const table500 = rows(table).map((row) => row.split(',')[0])
  place.promise('the table has every document once', table500.length === count && new Set(table500).size === count)
  const digest = await second.call('whats_new')
  await second.call('whats_new', { acknowledge: digest.cursor })
  const afterwards = await second.call('whats_new')
  place.promise(
    'what was told is not told again',
    digest.counts.finished === 2 && afterwards.counts.finished === 0,
    digest.counts,
  )
})

function rows(table) {
  return existsSync(table) ? readFileSync(table, 'utf8').trim().split('\n').slice(1) : []
}

function same(left, right) {
  return JSON.stringify(left) === JSON.stringify(right)
}
