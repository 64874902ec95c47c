import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { QueueError } from '../../../src/domain/errors.ts'
import type { JobView } from '../../../src/domain/wire/shared.ts'
import { isAlive } from '../../support/proc.ts'
import { rounds } from '../../support/rounds.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { useManager } from './manager-under-test.ts'

const quickUnits = rounds(20_000, 100_000)
const manager = useManager()
const { client } = manager

function useFolder() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'nk-attack-')))
  onTestFinished(() => {
    writeFileSync(join(folder, 'go'), '')
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  })
  const linesOf = (name: string): readonly string[] =>
    existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8').trim().split('\n') : []
  return { folder, linesOf, open: () => writeFileSync(join(folder, 'go'), '') }
}

async function view(id: string): Promise<JobView> {
  const [job] = (await client.call('job_status', { ids: [id], detail: 'full' })).jobs
  if (job === undefined) throw new Error(`no job ${id}`)
  return job
}

/** Units that write their value and run until the gate is opened. */
const gated = 'echo "$NIGHTKILN_UNIT" >> started.txt; while [ -e started.txt ] && [ ! -e go ]; do sleep 0.02; done'

test('a raised limit of a queue lets the next unit start at once, a lowered one lets none', async () => {
  const { folder, linesOf, open } = useFolder()
  await client.call('update_job', { queue: 'narrow', queue_concurrency: 1 })
  const { id } = await manager.submit({
    params: { shell: true, script: gated, cwd: folder },
    units: ['a', 'b', 'c'],
    queue: 'narrow',
  })
  await waitUntil(() => linesOf('started.txt').length === 1, { what: 'the first unit' })
  await client.call('update_job', { queue: 'narrow', queue_concurrency: 2 })
  // Nothing else happens meanwhile: no other commit may be what starts it. The next beat comes within 5 s.
  await waitUntil(() => linesOf('started.txt').length === 2, { timeoutMs: 4_000, what: 'the second unit' })
  open()
  expect((await manager.ended(id)).state).toBe('completed')
})

test('a job whose concurrency is lowered starts nothing until so few run', async () => {
  const { folder, linesOf } = useFolder()
  const script =
    'echo $NIGHTKILN_UNIT >> started.txt; while [ -e started.txt ] && [ ! -e "go-$NIGHTKILN_UNIT" ]; do sleep 0.02; done'
  const { id } = await manager.submit({
    params: { shell: true, script, cwd: folder },
    units: ['a', 'b', 'c'],
    concurrency: 2,
  })
  await waitUntil(() => linesOf('started.txt').length === 2, { what: 'two units' })
  await client.call('update_job', { id, concurrency: 1 })
  writeFileSync(join(folder, 'go-a'), '')
  await waitUntil(async () => (await view(id)).counts?.completed === 1, { what: 'the end of one' })
  expect((await view(id)).counts).toMatchObject({ running: 1, available: 1 })
  for (const name of ['b', 'c']) writeFileSync(join(folder, `go-${name}`), '')
  expect((await manager.ended(id)).state).toBe('completed')
})

test.for<[string, string]>([
  ['a lone surrogate', '\ud800'],
  ['nothing', ''],
  ['a word of objects', '__proto__'],
  ['a long text', 'k'.repeat(2_000)],
])('a unit whose limit key and unit key hold %s runs', async ([, key]) => {
  const { id } = await manager.submit({
    type: 'noop',
    params: {},
    units: [{ key }, { key: 'other' }, { key }],
    unit_key: 'k {{unit.key}}',
    per_key: { key: '{{unit.key}}', concurrency: 1 },
  })
  const job = await manager.ended(id)
  expect(job).toMatchObject({ state: 'completed', counts: { total: 2, completed: 2 } })
})

test('a rate limit of 1,000 keys lets one unit of each start, and the second of one waits', async () => {
  const units = Array.from({ length: 1_000 }, (_, number) => `host${number}`)
  const { id } = await manager.submit({
    type: 'noop',
    params: {},
    units: [...units, 'host7'],
    per_key: { key: '{{unit}}', rate_limit: { count: 1, interval_s: 3600 } },
  })
  await waitUntil(async () => (await view(id)).counts?.completed === 1_000, { what: 'one of each' })
  expect((await view(id)).counts).toMatchObject({ available: 1, running: 0 })
  await client.call('cancel_job', { ids: [id] })
})

test('a value of a megabyte comes back whole, and lists stay small', async () => {
  const { id } = await manager.submit({ type: 'noop', params: {}, units: ['x'.repeat(1_000_000), 'y'] })
  expect((await manager.ended(id)).state).toBe('completed')
  const { units } = await client.call('list_units', { id, detail: 'full' })
  expect(units.map(({ untrusted_input }) => untrusted_input.length < 10_000)).toEqual([true, true])
  const { result_bytes } = await client.call('job_result', { id, unit: 0 })
  expect(result_bytes).toBeGreaterThanOrEqual(1_000_000)
})

test('a storm: 100 jobs cancelled by a filter while they start leave no process and no unfinished job', async () => {
  const { folder, linesOf } = useFolder()
  const ids: string[] = []
  const submits = Array.from({ length: 100 }, () =>
    manager
      .submit({
        params: { shell: true, script: 'echo $$ >> pids.txt; sleep 60', cwd: folder },
        labels: { storm: '1' },
        cancel_grace_s: 0,
      })
      .then(({ id }) => ids.push(id)),
  )
  await Promise.all(submits.slice(0, 50))
  const first = client.call('cancel_job', { filter: { labels: { storm: '1' } } })
  await Promise.all(submits)
  await first
  await waitUntil(
    async () => {
      await client.call('cancel_job', { filter: { labels: { storm: '1' } } })
      return (await client.call('list_jobs', { labels: { storm: '1' }, states: ['unfinished'] })).jobs.length === 0
    },
    { timeoutMs: 20_000, what: 'all to end' },
  )
  expect(ids).toHaveLength(100)
  for (const pid of linesOf('pids.txt')) expect(isAlive(Number(pid)), pid).toBe(false)
})

test('a cancel while units are added ends the job at what it had, and nothing is added afterwards', async () => {
  const { id } = await manager.submit({
    type: 'noop',
    params: {},
    source: { kind: 'range', from: 1, to: 300_000, step: 1 },
  })
  const [answer] = (await client.call('cancel_job', { ids: [id] })).jobs
  expect(['cancelled', 'cancelling']).toContain(answer?.outcome)
  const job = await manager.ended(id)
  expect(job.state).toBe('cancelled')
  const { counts } = await view(id)
  expect(counts?.total).toBeLessThan(300_000)
  expect((counts?.completed ?? 0) + (counts?.cancelled ?? 0)).toBe(counts?.total)
  const again = await client.call('rerun_job', {
    id,
    only: 'not_completed',
    overrides: { test_first: 1 },
    idempotency_key: `again ${id}`,
    context: { environment: {}, cwd: '/tmp', submitted_by: 'test' },
  })
  await waitUntil(async () => (await view(again.id)).state === 'awaiting_approval', { what: 'the review' })
  const rest = await view(again.id)
  expect((rest.counts?.total ?? 0) + (rest.units_waiting ?? 0)).toBe(300_000 - (counts?.completed ?? 0))
  await client.call('decide_job', { id: again.id, decision: 'reject' })
  expect((await manager.ended(again.id)).state).toBe('cancelled')
})

test('units added while the last one ends are run or refused, never lost', async () => {
  for (let round = 0; round < 25; round += 1) {
    const { id } = await manager.submit({ type: 'noop', params: {}, units: ['first'] })
    const added = await client.call('add_units', { id, units: ['second'] }).then(
      () => true,
      (error: QueueError) => {
        expect(error.code).toBe('invalid_transition')
        return false
      },
    )
    const job = await manager.ended(id)
    const { counts } = await view(job.id)
    expect(counts).toMatchObject({ total: added ? 2 : 1, completed: added ? 2 : 1 })
  }
})

test('two resumes at once: one goes on with the job, the other says that it was not paused', async () => {
  const { folder, linesOf, open } = useFolder()
  const { id } = await manager.submit({ params: { shell: true, script: gated, cwd: folder } })
  await waitUntil(() => linesOf('started.txt').length === 1, { what: 'the start' })
  await client.call('pause_job', { ids: [id], freeze: true })
  const twice = await Promise.all([1, 2].map(() => client.call('resume_job', { ids: [id] })))
  expect(twice.map(({ jobs }) => jobs[0]?.outcome).sort()).toEqual(['resumed', 'unchanged'])
  open()
  expect((await manager.ended(id)).state).toBe('completed')
})

test('what runs in the manager itself cannot be frozen, and the answer says what became of it', async () => {
  const { id } = await manager.submit({
    type: 'noop',
    params: {},
    source: { kind: 'range', from: 1, to: quickUnits, step: 1 },
  })
  const [answer] = (await client.call('pause_job', { ids: [id], freeze: true })).jobs
  expect(['paused', 'refused']).toContain(answer?.outcome)
  await waitUntil(async () => (await view(id)).counts?.running === 0, { what: 'nothing to run' })
  const before = (await view(id)).counts?.completed
  await manager.run('true', { params: { shell: true, script: 'true', cwd: '/tmp' } })
  expect((await view(id)).counts?.completed).toBe(before)
  await client.call('resume_job', { ids: [id] })
  expect(await manager.ended(id)).toMatchObject({ state: 'completed', counts: { completed: quickUnits } })
})

test('two decisions at once: one is taken, the other is told', async () => {
  const { id } = await manager.submit({
    type: 'noop',
    params: {},
    source: { kind: 'range', from: 1, to: 5_000, step: 1 },
    test_first: 3,
  })
  await waitUntil(async () => (await view(id)).state === 'awaiting_approval', { what: 'the review' })
  const answers = await Promise.allSettled([
    client.call('decide_job', { id, decision: 'approve' }),
    client.call('decide_job', { id, decision: 'reject' }),
  ])
  expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  const job = await manager.ended(id)
  expect(['completed', 'cancelled']).toContain(job.state)
})

test('a job may not wait for one that is being deleted, or waits for what it was: it never hangs', async () => {
  const { id: first } = await manager.submit({
    type: 'noop',
    params: {},
    source: { kind: 'range', from: 1, to: 5_000, step: 1 },
  })
  await waitUntil(async () => (await view(first)).final, { what: 'the first job' })
  const deletion = client.call('delete_jobs', { ids: [first] })
  const waiting = await Promise.allSettled(
    Array.from({ length: 30 }, () => manager.submit({ type: 'noop', params: {}, depends_on: [first] })),
  )
  await deletion
  for (const answer of waiting) {
    if (answer.status === 'fulfilled') expect((await manager.ended(answer.value.id)).state).toBe('completed')
    else expect((answer.reason as QueueError).code).toBe('job_not_found')
  }
  await expect(manager.submit({ type: 'noop', params: {}, depends_on: [first] })).rejects.toMatchObject({
    code: 'job_not_found',
  })
})

test('a batch with unit keys that is run again has the same units, and takes no second one of a key', async () => {
  const { id } = await manager.submit({
    type: 'noop',
    params: {},
    units: [{ url: 'a' }, { url: 'b' }, { url: 'a' }],
    unit_key: '{{unit.url}}',
  })
  await manager.ended(id)
  const again = await client.call('rerun_job', {
    id,
    overrides: { keep_open: true },
    idempotency_key: `again ${id}`,
    context: { environment: {}, cwd: '/tmp', submitted_by: 'test' },
  })
  await client.call('add_units', { id: again.id, units: [{ url: 'b' }, { url: 'c' }], close: true })
  expect(await manager.ended(again.id)).toMatchObject({ state: 'completed', counts: { total: 3, completed: 3 } })
})

test('an empty job that is kept open and closed ends, with its final step', async () => {
  const { folder } = useFolder()
  const { id } = await manager.submit({
    params: { shell: true, script: 'echo $NIGHTKILN_UNIT', cwd: folder },
    keep_open: true,
    final_step: { params: { shell: true, script: 'wc -c < "$NIGHTKILN_RESULTS" > final.txt', cwd: folder } },
  })
  await client.call('add_units', { id, close: true })
  expect((await manager.ended(id)).state).toBe('completed')
  expect(readFileSync(join(folder, 'final.txt'), 'utf8').trim()).toBe('0')
})

test('to resume a queue that was told to slow down lifts the hold, and what was told is due at once', async () => {
  const { folder, linesOf } = useFolder()
  const { id } = await manager.submit({
    params: { shell: true, script: '[ -e told ] && exit 0; echo x > told; exit 75', cwd: folder },
    queue: 'scolded',
    rate_limited: { exit_codes: [75], wait_s: 3_600 },
  })
  await waitUntil(() => linesOf('told').length === 1, { what: 'the first attempt' })
  await waitUntil(async () => (await view(id)).attempts === 1 && (await view(id)).state !== 'running')
  const answer = await client.call('resume_job', { queue: 'scolded' })
  expect(answer.next).toBe(
    'It was told to slow down; that hold was lifted. Its jobs go on as soon as there are slots; queue_status {} shows how busy it is.',
  )
  expect(answer.queue).toMatchObject({ held_until: null })
  expect(await manager.ended(id)).toMatchObject({ state: 'completed' })
})
