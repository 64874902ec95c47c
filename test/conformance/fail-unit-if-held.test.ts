import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import { brokenRecord, claim, eventTypes, facts, jobIdOf, newJob, start, submit, wrongFences } from './support/jobs.ts'

const broken = facts({ exitCode: 1, error: brokenRecord, now: start + 10 })

describe.each(implementations)('$name: failUnitIfHeld', ({ open }) => {
  test('makes the unit available again while failures are left', () => {
    const { store } = open()
    submit(store, newJob(1, { maxAttempts: 2 }))
    const { fence } = claim(store, jobIdOf(1))
    const before = store.lastEventId()
    const end = store.failUnitIfHeld(fence, 'failed', start + 5_000, { tail: 'oops' }, broken)
    expect(end).toMatchObject({
      settled: false,
      unit: { state: 'available', failures: 1, attempt: 1, availableAt: start + 5_000 },
      job: { state: 'running', error: null },
    })
    expect(store.readAttempts(fence.unitId)).toMatchObject([{ outcome: 'failed', exitCode: 1, error: brokenRecord }])
    expect(store.readUnitPayload(fence.unitId)?.output).toEqual({ tail: 'oops' })
    expect(eventTypes(store, before)).toEqual(['unit.retrying'])
  })

  test('fails the unit with the last failure allowed, never one attempt later', () => {
    const { store } = open()
    submit(store, newJob(1, { maxAttempts: 2 }))
    store.failUnitIfHeld(claim(store, jobIdOf(1)).fence, 'failed', start, null, broken)
    const { fence } = claim(store, jobIdOf(1))
    const before = store.lastEventId()
    const end = store.failUnitIfHeld(fence, 'timed_out', start, null, broken)
    expect(end).toMatchObject({
      settled: true,
      unit: { state: 'failed', failures: 2, attempt: 2 },
      job: { state: 'failed', error: brokenRecord, counts: { failed: 1 } },
    })
    expect(store.readJob(jobIdOf(1))).toEqual(end?.job)
    expect(store.readAttempts(fence.unitId).map((attempt) => attempt.outcome)).toEqual(['failed', 'timed_out'])
    expect(eventTypes(store, before)).toEqual(['unit.failed', 'job.failed'])
  })

  test('fails the unit at once when it must not be retried', () => {
    const { store } = open()
    submit(store, newJob(1, { maxAttempts: 5 }))
    const end = store.failUnitIfHeld(claim(store, jobIdOf(1)).fence, 'failed', null, null, broken)
    expect(end).toMatchObject({ settled: true, unit: { state: 'failed', failures: 1 }, job: { state: 'failed' } })
  })

  test('does not count releases against max_attempts', () => {
    const { store } = open()
    submit(store, newJob(1, { maxAttempts: 2 }))
    for (let released = 0; released < 3; released += 1) {
      store.releaseUnitIfHeld(claim(store, jobIdOf(1)).fence, facts({ now: start }))
    }
    const end = store.failUnitIfHeld(claim(store, jobIdOf(1)).fence, 'failed', start, null, broken)
    expect(end?.unit).toMatchObject({ state: 'available', failures: 1, attempt: 4 })
  })

  test('a cancel wins over a retry', () => {
    const { store } = open()
    submit(store, newJob(1, { maxAttempts: 5 }))
    const { fence } = claim(store, jobIdOf(1))
    store.requestCancel(jobIdOf(1), 'user', start)
    const end = store.failUnitIfHeld(fence, 'failed', start + 5_000, null, broken)
    expect(end).toMatchObject({ settled: true, unit: { state: 'cancelled', failures: 1 }, job: { state: 'cancelled' } })
    expect(store.readAttempts(fence.unitId)[0]?.outcome).toBe('failed')
  })

  test('lets the other units finish before the job fails, with the error of the lowest position', () => {
    const { store } = open()
    submit(store, newJob(1, {}, 3))
    const [zero, one, two] = [claim(store, jobIdOf(1)), claim(store, jobIdOf(1)), claim(store, jobIdOf(1))]
    const fail = (fence: typeof zero.fence, message: string) =>
      store.failUnitIfHeld(fence, 'failed', null, null, facts({ error: { ...brokenRecord, message } }))
    expect(fail(two.fence, 'of two')?.settled).toBe(false)
    expect(fail(one.fence, 'of one')?.settled).toBe(false)
    const end = store.completeUnitIfHeld(zero.fence, null, facts())
    expect(end).toMatchObject({ settled: true, job: { state: 'failed', error: { message: 'of one' } } })
  })

  test('answers null for a wrong fence and counts nothing', () => {
    const { store } = open()
    submit(store, newJob(1))
    const { fence } = claim(store, jobIdOf(1))
    for (const [what, wrong] of wrongFences(fence)) {
      expect(store.failUnitIfHeld(wrong, 'failed', null, 'stale', broken), what).toBeNull()
    }
    expect(store.readUnits(jobIdOf(1), { limit: 1 })).toMatchObject([{ state: 'running', failures: 0 }])
    expect(store.readUnitPayload(fence.unitId)?.output).toBeNull()
  })

  test('the error of a failed job can be searched for', () => {
    const { store } = open()
    submit(store, newJob(1))
    expect(store.listJobs({ text: 'exit code' }, { limit: 5 })).toEqual([])
    store.failUnitIfHeld(claim(store, jobIdOf(1)).fence, 'failed', null, null, broken)
    expect(store.listJobs({ text: 'exit code' }, { limit: 5 })).toHaveLength(1)
    expect(store.listJobs({ text: 'job exit' }, { limit: 5 })).toHaveLength(1)
  })
})
