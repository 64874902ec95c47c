import { describe, expect, test } from 'vitest'
import { QueueError } from '../../src/domain/errors.ts'
import { implementations } from './support/implementations.ts'
import { claim, eventTypes, facts, finalStepIdOf, jobIdOf, newJob, start, submit, unitIdOf } from './support/jobs.ts'

describe.each(implementations)('$name: submitJob', ({ open }) => {
  test('answers the job as it is read back', () => {
    const { store } = open()
    const said = newJob(
      7,
      {
        labels: { project: 'kiln', größe: 'groß' },
        priority: 1,
        concurrency: 2,
        maxAttempts: 4,
        rerunOf: jobIdOf(3),
        runAt: start + 60_000,
        params: { argv: ['echo', 'ü'], nested: { list: [1, null, true] } },
      },
      3,
    )
    const job = submit(store, said)
    expect(store.readJob(said.id)).toEqual(job)
    expect(job).toMatchObject({
      id: said.id,
      name: 'job 7',
      labels: { project: 'kiln', größe: 'groß' },
      priority: 1,
      runAt: start + 60_000,
      concurrency: 2,
      maxAttempts: 4,
      rerunOf: jobIdOf(3),
      submittedBy: 'test 1.0',
      state: 'queued',
      createdAt: start,
      startedAt: null,
      finishedAt: null,
      counts: { total: 3, available: 3, running: 0, completed: 0, failed: 0, cancelled: 0 },
    })
    expect(store.readJobPayload(said.id)).toMatchObject({ params: said.params, options: said.options })
  })

  test('answers a job with everything that may be said as it is read back', () => {
    const { store } = open()
    const job = submit(
      store,
      newJob(1, {
        source: { kind: 'range', from: 0, step: 1, total: 10 },
        keepOpen: true,
        testUnits: 2,
        keyLimits: { concurrency: 1, rate: { count: 2, windowMs: 1_000 } },
        failureBudget: { units: 3, percent: 2.5, stopEarly: true },
        finalStep: { unitId: finalStepIdOf(1), params: { argv: ['true'] } },
        scheduleId: 'schedule',
        workHash: 'w',
      }),
    )
    expect(store.readJob(jobIdOf(1))).toEqual(job)
    expect(job).toMatchObject({
      sealedAt: null,
      keepOpen: true,
      testUnits: 2,
      keyLimits: { concurrency: 1, rate: { count: 2, windowMs: 1_000 } },
      failureBudget: { units: 3, percent: 2.5, stopEarly: true },
      finalStep: 'waiting',
      scheduleId: 'schedule',
      openDependencies: 0,
    })
  })

  test('is sealed at once unless units may still come', () => {
    const { store } = open()
    expect(submit(store, newJob(1)).sealedAt).toBe(start)
    const source = { kind: 'list', items: ['a'], total: 1 } as const
    expect(submit(store, newJob(2, { units: [], source })).sealedAt).toBeNull()
    expect(submit(store, newJob(3, { units: [], keepOpen: true })).sealedAt).toBeNull()
  })

  test('skips units whose key is there', () => {
    const { store } = open()
    const keys = ['a', 'b', 'a', null, null]
    const units = keys.map((key, position) => ({ id: unitIdOf(1, position), input: position, key }))
    const job = submit(store, newJob(1, { units }))
    expect(job.counts).toMatchObject({ total: 4, available: 4 })
    const found = store.readUnits(jobIdOf(1), { limit: 10 })
    expect(found.map((unit) => [unit.position, unit.key])).toEqual([
      [0, 'a'],
      [1, 'b'],
      [2, null],
      [3, null],
    ])
  })

  test('keeps the order of submits in seq', () => {
    const { store } = open()
    const seqs = [1, 2, 3].map((number) => submit(store, newJob(number)).seq)
    expect(seqs).toEqual([...seqs].sort((left, right) => left - right))
    expect(new Set(seqs).size).toBe(3)
  })

  test('answers a repeat of key and content with the same job, as it is now', () => {
    const { store } = open()
    submit(store, newJob(1))
    const { fence } = claim(store, jobIdOf(1))
    store.completeUnitIfHeld(fence, null, facts())
    const events = store.lastEventId()
    const repeat = store.submitJob({ ...newJob(2), idempotencyKey: 'key-1', contentHash: 'hash-1' })
    expect(repeat).toMatchObject({ kind: 'existing', job: { id: jobIdOf(1), state: 'completed' } })
    expect(store.readJob(jobIdOf(2))).toBeNull()
    expect(store.lastEventId()).toBe(events)
  })

  test('answers a known key with other content with a conflict, naming the job', () => {
    const { store } = open()
    submit(store, newJob(1))
    const other = store.submitJob({ ...newJob(2), idempotencyKey: 'key-1' })
    expect(other).toEqual({ kind: 'conflict', jobId: jobIdOf(1), createdAt: start })
    expect(store.readJob(jobIdOf(2))).toBeNull()
  })

  test('remembers the key of a deleted job, and still tells a conflict', () => {
    const { store, deleteJob } = open()
    submit(store, newJob(1))
    deleteJob(jobIdOf(1))
    const repeat = store.submitJob({ ...newJob(2), idempotencyKey: 'key-1', contentHash: 'hash-1' })
    expect(repeat).toEqual({ kind: 'existing_pruned', jobId: jobIdOf(1), createdAt: start })
    const other = store.submitJob({ ...newJob(3), idempotencyKey: 'key-1', contentHash: 'other' })
    expect(other).toMatchObject({ kind: 'conflict', jobId: jobIdOf(1) })
  })

  test('never gives a seq twice, not even that of the newest job after it was deleted', () => {
    const { store, deleteJob } = open()
    const { seq } = submit(store, newJob(1))
    deleteJob(jobIdOf(1))
    expect(submit(store, newJob(2)).seq).toBeGreaterThan(seq)
  })

  test('refuses a job without a unit, which could never end, and keeps nothing of it', () => {
    const { store } = open()
    expect(() => store.submitJob({ ...newJob(1), units: [] })).toThrow(QueueError)
    expect(store.readJob(jobIdOf(1))).toBeNull()
    expect(submit(store, newJob(1)).id).toBe(jobIdOf(1))
  })

  test('writes one event', () => {
    const { store } = open()
    submit(store, newJob(1, {}, 3))
    expect(eventTypes(store)).toEqual(['job.submitted'])
    expect(store.readEvents(0, 10)[0]).toMatchObject({
      jobId: jobIdOf(1),
      unitId: null,
      createdAt: start,
      data: { type: 'command', queue: 'default', units: 3 },
    })
  })
})
