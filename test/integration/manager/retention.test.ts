import { expect, test } from 'vitest'
import { Retention } from '../../../src/manager/runtime/retention.ts'
import { claim, jobIdOf, newJob, start, submit } from '../../conformance/support/jobs.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { openHistory } from './history-under-test.ts'

const day = 24 * 3_600_000
const roomy = { keep_age: 90 * day, keep_jobs: 1_000, keep_bytes: 1_000_000 }

function openRetention(settings: Partial<typeof roomy> = {}) {
  const history = openHistory()
  const sweeps: number[] = []
  const retention = new Retention({
    store: history.store,
    commits: history.commits,
    deletion: history.deletion,
    reader: history.reader,
    clock: history.clock,
    settings: { ...roomy, ...settings },
    log: { info: () => undefined, warn: (_details, message) => history.warnings.push(message) },
    sweep: async () => sweeps.push(history.ids().length),
  })
  return { ...history, retention, sweeps }
}

test('what ended too long ago goes, with its files; what is younger or unfinished stays', async () => {
  const { retention, store, clock, complete, ids, removed } = openRetention()
  const old = complete(1, start)
  submit(store, newJob(2))
  submit(store, newJob(3))
  claim(store, jobIdOf(3))
  complete(4, start + 10 * day)
  clock.advance(91 * day)
  await retention.prune()
  expect(ids()).toEqual([4, 3, 2])
  expect(removed).toEqual([{ unitId: old.unitId, attempt: 1, nonce: old.nonce }])
  expect(store.readPruning(5)).toEqual([
    { at: start + 91 * day, jobs: 1, bytes: 20 + '{"number":1}'.length, rule: 'age' },
  ])
})

test('too many: those that ended first go, however many were submitted', async () => {
  const { retention, store, clock, complete, ids } = openRetention({ keep_jobs: 3 })
  for (const number of [1, 2, 3, 4, 5]) submit(store, newJob(100 + number))
  for (const [number, ended] of [
    [1, 50],
    [2, 10],
    [3, 40],
    [4, 20],
    [5, 30],
  ] as const)
    complete(number, start + ended)
  clock.advance(day)
  await retention.prune()
  expect(ids().filter((number) => number < 100)).toEqual([5, 3, 1])
  expect(ids().filter((number) => number > 100)).toHaveLength(5)
  expect(store.readPruning(5)).toMatchObject([{ jobs: 2, rule: 'count' }])
})

test('too large: only as many go as make it fit', async () => {
  const { retention, store, clock, complete, ids } = openRetention({ keep_bytes: 2_500 })
  for (const number of [1, 2, 3, 4]) complete(number, start + number, {}, 1_000)
  clock.advance(day)
  await retention.prune()
  expect(ids()).toEqual([4, 3])
  expect(store.readPruning(5)).toMatchObject([{ jobs: 2, rule: 'bytes' }])
})

test('an end that somebody has not acknowledged stays, unless it is twice too old', async () => {
  const { retention, store, clock, complete, ids } = openRetention({ keep_jobs: 1 })
  for (const number of [1, 2, 3]) complete(number, start + number * day)
  const ends = store.readFinishedJobs(0, 10).map(({ eventId }) => eventId)
  store.acknowledge('ann', ends[2] ?? 0)
  store.recordShown('bob', ends[2] ?? 0)
  store.acknowledge('bob', ends[0] ?? 0)
  clock.advance(100 * day)
  await retention.prune()
  expect(ids()).toEqual([3, 2])
  clock.advance(82.5 * day)
  await retention.prune()
  expect(ids()).toEqual([3])
  store.acknowledge('bob', ends[2] ?? 0)
  await retention.prune()
  expect(ids()).toEqual([])
})

test('a job of many units goes in short transactions, between which others commit', async () => {
  const { retention, store, commits, clock, ids, transactions, beforeRemoving } = openRetention()
  submit(store, newJob(1, {}, 450))
  store.requestCancel(jobIdOf(1), 'user', start)
  clock.advance(91 * day)
  let between = 0
  beforeRemoving(async () => {
    await commits.run(() => store.acknowledge('ann', 0))
    between += 1
  })
  const before = transactions()
  await retention.prune()
  expect(ids()).toEqual([])
  expect(between).toBeGreaterThanOrEqual(5)
  expect(transactions() - before).toBeGreaterThanOrEqual(10)
  expect(store.readPruning(5)).toMatchObject([{ jobs: 1, rule: 'age' }])
})

test('a deletion that a crash cut short is gone on with, whatever the rules say', async () => {
  const { retention, store, ids } = openRetention()
  submit(store, newJob(1, {}, 5))
  store.requestCancel(jobIdOf(1), 'user', start)
  store.deleteJobSlice(jobIdOf(1), 2)
  await retention.prune()
  expect(ids()).toEqual([])
})

test('files that cannot be removed are told and stop nothing', async () => {
  const { retention, clock, complete, ids, warnings, beforeRemoving } = openRetention()
  complete(1, start)
  complete(2, start)
  clock.advance(91 * day)
  beforeRemoving(() => Promise.reject(new Error('busy')))
  await retention.prune()
  expect(ids()).toEqual([])
  expect(warnings).toEqual(['files of deleted jobs were left; they are removed later'])
})

test('leftovers are swept at the first pass, after the deletions, and not at every one', async () => {
  const { retention, clock, complete, sweeps } = openRetention()
  complete(1, start)
  clock.advance(91 * day)
  await retention.prune()
  await retention.prune()
  expect(sweeps).toEqual([0])
})

test('a stop waits for the transaction in progress and begins no other', async () => {
  const history = openRetention()
  const { store, clock, ids } = history
  submit(store, newJob(1, {}, 450))
  store.requestCancel(jobIdOf(1), 'user', start)
  clock.advance(91 * day)
  let slices = 0
  const retention = new Retention({
    ...history,
    settings: roomy,
    log: { info: () => undefined, warn: () => undefined },
    sweep: async () => undefined,
    firstPassMs: 0,
  })
  let stopped: Promise<void> | null = null
  history.beforeRemoving(async () => {
    slices += 1
    stopped ??= retention.stop()
  })
  retention.start()
  await waitUntil(() => stopped !== null, { what: 'the first slice' })
  await stopped
  expect(slices).toBe(1)
  expect(ids()).toEqual([1])
})
