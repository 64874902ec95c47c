import { expect, test } from 'vitest'
import type { JobStore, RunnableJob } from '../../../src/domain/ports/job-store.ts'
import { facts, jobIdOf, newJob, start, submit, unitIdOf, worker } from '../../conformance/support/jobs.ts'
import { useStateDirectory } from './support.ts'

function openStore(): JobStore {
  const store = useStateDirectory().open()
  store.raiseEpoch('test', start)
  store.registerWorker(worker, start, start + 60_000)
  return store
}

/** Slices of 1,000, one with each call. @returns the sizes and everything that was named */
function takeAll(store: JobStore): { sizes: number[]; lanes: RunnableJob[] } {
  const sizes: number[] = []
  const lanes: RunnableJob[] = []
  for (;;) {
    const { runnable } = store.takeConsequences()
    if (runnable.length === 0) return { sizes, lanes }
    sizes.push(runnable.length)
    lanes.push(...runnable)
  }
}

test('the lanes of a job with very many limit keys come in slices, each once', () => {
  const store = openStore()
  const units = Array.from({ length: 2_500 }, (_, position) => ({
    id: unitIdOf(1, position),
    input: null,
    limitKey: `key ${String(position).padStart(4, '0')}`,
  }))
  submit(store, newJob(1, { units }))
  const { sizes, lanes } = takeAll(store)
  expect(sizes).toEqual([1_000, 1_000, 500])
  expect(lanes.map((lane) => lane.limitKey)).toEqual(units.map((unit) => unit.limitKey))
  expect(store.readRunnableJobs(0, 10)).toHaveLength(1_000)
  expect(takeAll(store).sizes).toEqual([1_000, 500])
})

test('the rest of the lanes is not named once the job is paused, and all are when it goes on', () => {
  const store = openStore()
  const units = Array.from({ length: 1_200 }, (_, position) => ({
    id: unitIdOf(1, position),
    input: null,
    limitKey: `key ${position}`,
  }))
  submit(store, newJob(1, { units }))
  expect(store.takeConsequences().runnable).toHaveLength(1_000)
  store.pauseJob(jobIdOf(1), false, start)
  expect(store.takeConsequences().runnable).toEqual([])
  store.resumeJob(jobIdOf(1), start)
  expect(takeAll(store).sizes).toEqual([1_000, 200])
})

test('the jobs of a queue that goes on come in slices, each once and no other', () => {
  const store = openStore()
  store.updateQueue('night', { paused: true }, start)
  store.atomically(() => {
    for (let number = 1; number <= 2_300; number += 1) submit(store, newJob(number, { queue: 'night' }))
    submit(store, newJob(9_000))
  })
  expect(takeAll(store).lanes.map((lane) => lane.jobId)).toEqual([jobIdOf(9_000)])
  store.updateQueue('night', { paused: false }, start)
  const { sizes, lanes } = takeAll(store)
  expect(sizes).toEqual([1_000, 1_000, 300])
  expect(new Set(lanes.map((lane) => lane.jobId)).size).toBe(2_300)
})

test('a chain of ten thousand jobs is cancelled in one change', () => {
  const store = openStore()
  const length = 10_000
  store.atomically(() => {
    submit(store, newJob(1))
    for (let number = 2; number <= length; number += 1) {
      const dependencies = [{ jobId: jobIdOf(number - 1), alias: 'before', condition: 'completed' as const }]
      submit(store, newJob(number, { dependencies }))
    }
  })
  store.takeConsequences()
  store.requestCancel(jobIdOf(1), 'user', start)
  expect(store.readStateCounts()).toMatchObject({ queued: 0, cancelled: length })
  expect(store.takeConsequences().settled).toHaveLength(length)
})

test('a claim costs the same in front of 100 and of 60,000 waiting units', () => {
  const store = openStore()
  const units = (job: number, count: number) =>
    Array.from({ length: count }, (_, position) => ({ id: `${job}-${position}`, input: null }))
  submit(store, newJob(1, { units: units(1, 100) }))
  submit(store, newJob(2, { units: units(2, 60_000) }))
  /** The quickest of many: what the machine does beside it only ever adds. @returns ms */
  const quickest = (job: number): number => {
    const times = Array.from({ length: 60 }, (_, round) => {
      const request = { jobId: jobIdOf(job), limitKey: null, limit: 1, workerId: worker.id, now: start } as const
      const before = performance.now()
      const { units: claimed } = store.atomically(() =>
        store.claimUnitsIfDue({ ...request, executor: 'thread', mode: 'local', nonce: `${job} ${round}` }),
      )
      const took = performance.now() - before
      for (const { id, attempt, nonce, workerId } of claimed) {
        store.completeUnitIfHeld({ unitId: id, attempt, nonce, workerId }, null, facts())
      }
      return took
    })
    return Math.min(...times)
  }
  const few = quickest(1)
  expect(quickest(2)).toBeLessThan(few * 3 + 0.3)
})

test('a cancel of very many units takes slices, claims nothing in between, and settles with the last', () => {
  const store = openStore()
  const units = Array.from({ length: 25_000 }, (_, position) => ({ id: unitIdOf(1, position), input: null }))
  submit(store, newJob(1, { units }))
  store.takeConsequences()
  expect(store.requestCancel(jobIdOf(1), 'user', start)).toMatchObject({ kind: 'cancelling', held: [] })
  expect(store.takeConsequences()).toMatchObject({ runnable: [], settled: [], sweeps: [jobIdOf(1)] })
  expect(store.readJob(jobIdOf(1))?.counts).toMatchObject({ available: 15_000, cancelled: 10_000 })
  const claimed = store.claimUnitsIfDue({
    jobId: jobIdOf(1),
    limitKey: null,
    limit: 5,
    workerId: worker.id,
    executor: 'command',
    mode: 'local',
    nonce: 'late',
    now: start,
  })
  expect(claimed.units).toEqual([])
  // A manager that died here is followed by one that finds it.
  expect(store.readCancellingJobs(10)).toEqual([jobIdOf(1)])
  expect(store.cancelMoreUnits(jobIdOf(1), 14_999, start)).toBe(true)
  expect(store.readJob(jobIdOf(1))?.finishedAt).toBeNull()
  expect(store.cancelMoreUnits(jobIdOf(1), 14_999, start)).toBe(false)
  expect(store.readJob(jobIdOf(1))).toMatchObject({ state: 'cancelled', counts: { available: 0, cancelled: 25_000 } })
  expect(store.takeConsequences().settled).toHaveLength(1)
  expect(store.readCancellingJobs(10)).toEqual([])
})
