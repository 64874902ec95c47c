import { describe, expect, test } from 'vitest'
import type { JobStore } from '../../src/domain/ports/job-store.ts'
import { implementations, type JobFlag } from './support/implementations.ts'
import {
  awayRecord,
  brokenRecord,
  claim,
  claimForGpu,
  facts,
  jobIdOf,
  newJob,
  start,
  submit,
  unitIdOf,
} from './support/jobs.ts'

/** The jobs named together and one by one are the same. */
function waiting(store: JobStore, now = start): number[] {
  const waiters = store.readGpuWaiters(now, 9)
  for (let seq = 1; seq <= 9; seq += 1)
    expect(store.readGpuWaiter(seq, now)).toEqual(waiters.find((waiter) => waiter.seq === seq) ?? null)
  return waiters.map((waiter) => waiter.seq)
}

describe.each(implementations)('$name: readGpuWaiters and setGpuWait', ({ open }) => {
  test('names jobs with units for GPU workers that could run: those that may fall back first, then oldest first', () => {
    const { store } = open()
    submit(store, newJob(1))
    submit(store, newJob(2, { gpu: 'require', type: 'montecarlo' }, 2))
    submit(store, newJob(3, { gpu: 'prefer' }))
    const second = { jobId: jobIdOf(2), seq: 2, type: 'montecarlo', preference: 'require' }
    submit(store, newJob(4, { gpu: 'prefer' }))
    const prefers = { type: 'command', preference: 'prefer', since: null, isServed: false }
    expect(store.readGpuWaiters(start, 9)).toEqual([
      { ...prefers, jobId: jobIdOf(3), seq: 3 },
      { ...prefers, jobId: jobIdOf(4), seq: 4 },
      { ...second, since: null, isServed: false },
    ])
    expect(store.readGpuWaiters(start, 1)).toHaveLength(1)
    claimForGpu(store, jobIdOf(4))
    claimForGpu(store, jobIdOf(2))
    expect(store.readGpuWaiters(start, 9)[1]).toEqual({ ...second, since: null, isServed: true })
    claimForGpu(store, jobIdOf(2))
    expect(waiting(store)).toEqual([3])
  })

  test('units that run here do not serve it', () => {
    const { store } = open()
    const { seq } = submit(store, newJob(1, { gpu: 'prefer' }, 2))
    store.placeUnitsHere({ jobId: jobIdOf(1), seq }, awayRecord, 1, start)
    claim(store, jobIdOf(1))
    expect(store.readGpuWaiters(start, 9)).toMatchObject([{ isServed: false }])
  })

  test.each<[JobFlag]>([['pausedAt'], ['frozenAt'], ['heldAt']])('not while %s is set', (flag) => {
    const { store, setFlag } = open()
    submit(store, newJob(1, { gpu: 'prefer' }))
    setFlag(jobIdOf(1), flag, start)
    expect(waiting(store)).toEqual([])
    setFlag(jobIdOf(1), flag, null)
    expect(waiting(store)).toEqual([1])
  })

  test('not before its time, while it waits for another job, backs off, in a paused queue or cancelled', () => {
    const { store } = open()
    submit(store, newJob(1, { gpu: 'prefer', runAt: start + 5 }))
    submit(store, newJob(2, { gpu: 'prefer', dependencies: [{ jobId: jobIdOf(1), alias: 'a', condition: 'ended' }] }))
    submit(store, newJob(3, { gpu: 'prefer', maxAttempts: 2 }))
    const failed = facts({ error: brokenRecord, now: start })
    store.failUnitIfHeld(claimForGpu(store, jobIdOf(3)).fence, 'failed', start + 5, null, failed)
    submit(store, newJob(4, { gpu: 'prefer', queue: 'night' }))
    store.updateQueue('night', { paused: true }, start)
    submit(store, newJob(5, { gpu: 'prefer' }, 2))
    claimForGpu(store, jobIdOf(5))
    store.requestCancel(jobIdOf(5), 'user', start)
    expect(waiting(store)).toEqual([])
    expect(waiting(store, start + 5)).toEqual([1, 3])
  })

  test('a wait is kept until a worker takes a unit', () => {
    const { store } = open()
    const { seq } = submit(store, newJob(1, { gpu: 'prefer' }, 2))
    store.setGpuWait(seq, start + 7)
    expect(store.readJob(jobIdOf(1))).toMatchObject({ gpu: 'prefer', gpuWaitsSince: start + 7 })
    expect(store.readGpuWaiters(start, 9)).toMatchObject([{ since: start + 7 }])
    store.placeUnitsHere({ jobId: jobIdOf(1), seq }, awayRecord, 1, start)
    claim(store, jobIdOf(1))
    expect(store.readJob(jobIdOf(1))?.gpuWaitsSince).toBe(start + 7)
    expect(claimForGpu(store, jobIdOf(1)).job.gpuWaitsSince).toBeNull()
    expect(store.readJob(jobIdOf(1))?.gpuWaitsSince).toBeNull()
    store.setGpuWait(seq, start + 9)
    store.setGpuWait(seq, null)
    expect(store.readJob(jobIdOf(1))?.gpuWaitsSince).toBeNull()
  })

  test('a job that was paused has not waited', () => {
    const { store } = open()
    const { seq } = submit(store, newJob(1, { gpu: 'require' }))
    store.setGpuWait(seq, start)
    store.pauseJob(jobIdOf(1), false, start)
    store.resumeJob(jobIdOf(1), start + 9_000)
    expect(store.readGpuWaiters(start, 9)).toMatchObject([{ since: null }])
  })

  test('a final job is left as it is', () => {
    const { store } = open()
    const { seq } = submit(store, newJob(1, { gpu: 'require' }))
    store.requestCancel(jobIdOf(1), 'user', start)
    const job = store.readJob(jobIdOf(1))
    store.setGpuWait(seq, start)
    expect(store.readJob(jobIdOf(1))).toEqual(job)
  })
})

describe.each(implementations)('$name: readGpuLanes', ({ open }) => {
  test('names the limit keys of units for GPU workers that are due', () => {
    const { store } = open()
    const units = [null, 'a', 'b', 'b', null].map((limitKey, position) => ({
      id: unitIdOf(1, position),
      input: null,
      limitKey,
    }))
    const { seq } = submit(store, newJob(1, { gpu: 'prefer', units, maxAttempts: 2 }))
    expect(store.readGpuLanes(seq, start)).toEqual([null, 'a', 'b'])
    const failed = facts({ error: brokenRecord, now: start })
    store.failUnitIfHeld(claimForGpu(store, jobIdOf(1), { limitKey: 'a' }).fence, 'failed', start + 5, null, failed)
    claimForGpu(store, jobIdOf(1), { limitKey: 'b' })
    store.placeUnitsHere({ jobId: jobIdOf(1), seq }, null, 2, start)
    expect(store.readGpuLanes(seq, start)).toEqual(['b'])
    expect(store.readGpuLanes(seq, start + 5)).toEqual(['a', 'b'])
    expect(store.readGpuLanes(seq, start - 1)).toEqual([])
    expect(store.readGpuLanes(999, start)).toEqual([])
  })
})
