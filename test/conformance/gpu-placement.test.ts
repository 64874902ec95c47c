import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import {
  brokenRecord,
  claim,
  claimForGpu,
  claimSome,
  facts,
  finalStepIdOf,
  jobIdOf,
  newJob,
  start,
  submit,
  unitIdOf,
} from './support/jobs.ts'

describe.each(implementations)('$name: units and where they run', ({ open }) => {
  test.each(['prefer', 'require'] as const)('no executor of this machine claims units of a job with gpu: %s', (gpu) => {
    const { store } = open()
    submit(store, newJob(1, { gpu }, 3))
    for (const executor of ['command', 'thread', 'inline'] as const)
      expect(claimSome(store, jobIdOf(1), 9, { executor })).toEqual([])
    const [first, second, ...others] = claimSome(store, jobIdOf(1), 2, { executor: 'gpu' })
    expect([first?.unit.position, second?.unit.position, others.length]).toEqual([0, 1, 0])
    expect(first?.nextDueAt).toBe(start)
    expect(first?.job).toEqual(store.readJob(jobIdOf(1)))
  })

  test('a GPU worker gets nothing of a job that never asks for one, nor hears of its due times', () => {
    const { store } = open()
    submit(store, newJob(1, {}, 2))
    const request = { jobId: jobIdOf(1), limitKey: null, limit: 9, workerId: 'worker-1', nonce: 'n', now: start }
    expect(store.claimUnitsIfDue({ ...request, executor: 'gpu', mode: 'remote' })).toEqual({
      units: [],
      job: null,
      nextDueAt: null,
    })
    expect(claim(store, jobIdOf(1)).unit.position).toBe(0)
  })

  test('a failed attempt at a worker is tried again at a worker', () => {
    const { store } = open()
    submit(store, newJob(1, { gpu: 'prefer', maxAttempts: 2 }))
    const failed = facts({ error: brokenRecord, now: start })
    store.failUnitIfHeld(claimForGpu(store, jobIdOf(1)).fence, 'failed', start, null, failed)
    expect(claimSome(store, jobIdOf(1), 9)).toEqual([])
    expect(claimForGpu(store, jobIdOf(1)).unit.attempt).toBe(2)
  })

  test('the final step runs here', () => {
    const { store } = open()
    submit(store, newJob(1, { gpu: 'require', finalStep: { unitId: finalStepIdOf(1), params: {} } }))
    store.completeUnitIfHeld(claimForGpu(store, jobIdOf(1)).fence, null, facts({ now: start }))
    expect(claimSome(store, jobIdOf(1), 9, { executor: 'gpu' })).toEqual([])
    const step = claim(store, jobIdOf(1))
    expect(step.unit).toMatchObject({ id: finalStepIdOf(1), finalStep: true })
    expect(store.readAttempts(step.unit.id)).toMatchObject([{ mode: 'local', fallbackReason: null }])
  })

  test('units that a source gives later wait for a worker too, with keys and without', () => {
    const { store } = open()
    const source = { kind: 'range', from: 0, step: 1, total: 3 } as const
    const { id } = submit(store, newJob(1, { gpu: 'prefer', units: [], source }))
    const [open1] = store.readOpenSources(1)
    const units = [
      { id: unitIdOf(1, 0), input: 0, key: 'x' },
      { id: unitIdOf(1, 1), input: 1, limitKey: 'host' },
    ]
    store.insertUnits(open1?.seq ?? 0, { units, cursor: 2, done: false }, start)
    store.insertUnits(open1?.seq ?? 0, { units: [{ id: unitIdOf(1, 2), input: 2 }], cursor: 3, done: true }, start)
    expect(store.readRunnableJobs(0, 9).map(({ forGpu, limitKey }) => [forGpu, limitKey])).toEqual([
      [true, null],
      [true, 'host'],
    ])
    expect(claimSome(store, id, 9)).toEqual([])
    expect(claimSome(store, id, 9, { executor: 'gpu' }).map(({ unit }) => unit.position)).toEqual([0, 2])
  })

  test('the concurrency of a job holds over both places', () => {
    const { store } = open()
    const job = submit(store, newJob(1, { gpu: 'prefer', concurrency: 2 }, 4))
    store.placeUnitsHere({ jobId: job.id, seq: job.seq }, null, 2, start)
    expect(claimSome(store, job.id, 1, { executor: 'gpu' })).toHaveLength(1)
    expect(claimSome(store, job.id, 9)).toHaveLength(1)
    expect(claimSome(store, job.id, 9, { executor: 'gpu' })).toEqual([])
  })

  test('a job with units in both places is runnable twice in each lane, here first', () => {
    const { store } = open()
    const units = [null, null, 'a', 'a'].map((limitKey, position) => ({
      id: unitIdOf(1, position),
      input: null,
      limitKey,
    }))
    const job = submit(store, newJob(1, { gpu: 'prefer', units }))
    store.placeUnitsHere({ jobId: job.id, seq: job.seq }, null, 3, start)
    submit(store, newJob(2))
    expect(store.readRunnableJobs(0, 9).map(({ seq, forGpu, limitKey }) => [seq, forGpu, limitKey])).toEqual([
      [1, false, null],
      [1, false, 'a'],
      [1, true, 'a'],
      [2, false, null],
    ])
  })
})
