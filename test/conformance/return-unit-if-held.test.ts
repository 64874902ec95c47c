import { describe, expect, test } from 'vitest'
import type { JobStore } from '../../src/domain/ports/job-store.ts'
import { implementations } from './support/implementations.ts'
import {
  awayRecord,
  brokenRecord,
  claim,
  claimForGpu,
  claimSome,
  eventTypes,
  facts,
  jobIdOf,
  newJob,
  start,
  submit,
  unitIdOf,
  wrongFences,
} from './support/jobs.ts'

const away = facts({ exitCode: null, error: awayRecord, now: start + 3 })
const later = { now: start + 3 }
const toLocal = { to: 'local', restarted: false } as const
const toGpu = { to: 'gpu', restarted: false } as const
const restarted = { to: 'gpu', restarted: true } as const
const unitId = unitIdOf(1, 0)

function historyOf(store: JobStore) {
  return store.readGpuHistory([unitId]).get(unitId)
}

describe.each(implementations)('$name: returnUnitIfHeld', ({ open }) => {
  test('not before the time it names', () => {
    const { store } = open()
    submit(store, newJob(1, { gpu: 'require' }))
    const { fence } = claimForGpu(store, jobIdOf(1))
    expect(store.returnUnitIfHeld(fence, { ...toGpu, availableAt: start + 70 }, away)).toMatchObject({
      unit: { state: 'available', availableAt: start + 70 },
    })
    expect(claimSome(store, jobIdOf(1), 9, { executor: 'gpu', now: start + 69 })).toEqual([])
    expect(claimSome(store, jobIdOf(1), 9, { executor: 'gpu', now: start + 70 })).toHaveLength(1)
  })

  test('to this machine: nothing counts as a failure, and the next attempt here says why', () => {
    const { store } = open()
    submit(store, newJob(1, { gpu: 'prefer' }))
    const { fence } = claimForGpu(store, jobIdOf(1))
    store.recordRemoteIfHeld(fence, { worker: 'rig', remoteId: 'remote' })
    const before = store.lastEventId()
    expect(store.returnUnitIfHeld(fence, toLocal, away)).toMatchObject({
      settled: false,
      unit: { state: 'available', attempt: 1, failures: 0, crashes: 0, availableAt: start + 3 },
    })
    expect(eventTypes(store, before)).toEqual(['unit.released'])
    expect(historyOf(store)).toEqual({ restarts: 0, fallbackReason: awayRecord })
    expect(claimSome(store, jobIdOf(1), 9, { executor: 'gpu', ...later })).toEqual([])

    const here = claim(store, jobIdOf(1), { executor: 'thread', ...later })
    expect(here.unit.attempt).toBe(2)
    store.completeUnitIfHeld(here.fence, 'done', facts())
    expect(store.readAttempts(unitId)).toMatchObject([
      { executor: 'gpu', mode: 'remote', outcome: 'released', error: awayRecord, fallbackReason: null },
      {
        executor: 'thread',
        mode: 'local (gpu fallback)',
        outcome: 'completed',
        fallbackReason: awayRecord,
        error: null,
      },
    ])
    expect(store.readJob(jobIdOf(1))?.state).toBe('completed')
  })

  test('with one attempt in all it still falls back', () => {
    const { store } = open()
    submit(store, newJob(1, { gpu: 'prefer', maxAttempts: 1 }))
    for (let round = 0; round < 5; round += 1)
      store.returnUnitIfHeld(claimForGpu(store, jobIdOf(1), later).fence, toGpu, away)
    store.returnUnitIfHeld(claimForGpu(store, jobIdOf(1), later).fence, toLocal, away)
    const { unit, fence } = claim(store, jobIdOf(1), later)
    expect(unit).toMatchObject({ attempt: 7, failures: 0, crashes: 0 })
    expect(store.failUnitIfHeld(fence, 'failed', start, null, facts({ error: brokenRecord }))?.unit.state).toBe(
      'failed',
    )
  })

  test('a fallback is for good: what is tried again runs here, and says so again', () => {
    const { store } = open()
    submit(store, newJob(1, { gpu: 'prefer', maxAttempts: 3 }))
    store.returnUnitIfHeld(claimForGpu(store, jobIdOf(1)).fence, toLocal, away)
    const failed = facts({ error: brokenRecord, now: start + 3 })
    store.failUnitIfHeld(claim(store, jobIdOf(1), later).fence, 'failed', start + 3, null, failed)
    store.releaseUnitIfHeld(claim(store, jobIdOf(1), later).fence, facts(later))
    expect(claimSome(store, jobIdOf(1), 9, { executor: 'gpu', ...later })).toEqual([])
    claim(store, jobIdOf(1), later)
    expect(store.readAttempts(unitId).map(({ mode }) => mode)).toEqual([
      'remote',
      'local (gpu fallback)',
      'local (gpu fallback)',
      'local (gpu fallback)',
    ])
  })

  test('to a worker again: restarts are counted, and no executor of this machine sees it', () => {
    const { store } = open()
    submit(store, newJob(1, { gpu: 'prefer' }))
    store.returnUnitIfHeld(claimForGpu(store, jobIdOf(1)).fence, toGpu, away)
    expect(historyOf(store)).toBeUndefined()
    store.returnUnitIfHeld(claimForGpu(store, jobIdOf(1), later).fence, restarted, away)
    expect(historyOf(store)).toEqual({ restarts: 1, fallbackReason: null })
    expect(claimSome(store, jobIdOf(1), 9, later)).toEqual([])
    store.returnUnitIfHeld(claimForGpu(store, jobIdOf(1), later).fence, { to: 'local', restarted: true }, away)
    expect(historyOf(store)).toEqual({ restarts: 2, fallbackReason: awayRecord })
    expect(store.readGpuHistory([])).toEqual(new Map())
    expect([...store.readGpuHistory([unitId, unitIdOf(7, 7)]).keys()]).toEqual([unitId])
  })

  test('names the lane to the dispatcher, in the place where it now waits', () => {
    const { store } = open()
    submit(store, newJob(1, { gpu: 'prefer' }))
    store.takeConsequences()
    const lanes = () => store.takeConsequences().runnable.map(({ forGpu, nextDueAt }) => ({ forGpu, nextDueAt }))
    store.returnUnitIfHeld(claimForGpu(store, jobIdOf(1)).fence, toGpu, away)
    expect(lanes()).toEqual([{ forGpu: true, nextDueAt: start + 3 }])
    store.returnUnitIfHeld(claimForGpu(store, jobIdOf(1), later).fence, toLocal, away)
    expect(lanes()).toEqual([{ forGpu: false, nextDueAt: start + 3 }])
  })

  test('the checkpoint of the worker is there for the attempt here', () => {
    const { store } = open()
    submit(store, newJob(1, { gpu: 'prefer' }))
    const { fence } = claimForGpu(store, jobIdOf(1))
    const checkpoint = { state: { paths: 4_096 }, format: 'sums/1' }
    store.recordCheckpointIfHeld(fence, checkpoint)
    store.returnUnitIfHeld(fence, toLocal, away)
    claim(store, jobIdOf(1), later)
    expect(store.readCheckpoints([unitId])).toEqual(new Map([[unitId, checkpoint]]))
  })

  test.each([toLocal, toGpu, restarted])('a cancel wins (%j)', (where) => {
    const { store } = open()
    submit(store, newJob(1, { gpu: 'prefer' }))
    const { fence } = claimForGpu(store, jobIdOf(1))
    store.requestCancel(jobIdOf(1), 'user', start)
    const end = store.returnUnitIfHeld(fence, where, away)
    expect(end).toMatchObject({ settled: true, unit: { state: 'cancelled' }, job: { state: 'cancelled' } })
    expect(store.readAttempts(unitId)).toMatchObject([{ outcome: 'released', error: awayRecord }])
  })

  test('answers null for a wrong fence, and the worker has one end alone', () => {
    const { store } = open()
    submit(store, newJob(1, { gpu: 'prefer' }))
    const { fence } = claimForGpu(store, jobIdOf(1))
    for (const [what, wrong] of wrongFences(fence))
      expect(store.returnUnitIfHeld(wrong, toLocal, away), what).toBeNull()
    expect(historyOf(store)).toBeUndefined()
    store.returnUnitIfHeld(fence, toLocal, away)
    claim(store, jobIdOf(1), later)
    expect(store.returnUnitIfHeld(fence, toGpu, away)).toBeNull()
    expect(store.completeUnitIfHeld(fence, 'late', facts())).toBeNull()
    expect(store.readUnits(jobIdOf(1), { limit: 1 })).toMatchObject([{ state: 'running', attempt: 2 }])
  })

  test('what is known of it goes with the job', () => {
    const { store } = open()
    submit(store, newJob(1, { gpu: 'prefer' }))
    store.returnUnitIfHeld(claimForGpu(store, jobIdOf(1)).fence, toLocal, away)
    store.requestCancel(jobIdOf(1), 'user', start)
    expect(store.deleteJobSlice(jobIdOf(1), 9)).toMatchObject({ done: true })
    expect(historyOf(store)).toBeUndefined()
  })
})
