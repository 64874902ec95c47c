import { describe, expect, test } from 'vitest'
import type { CancelReason, JobState } from '../../src/domain/states.ts'
import { implementations } from './support/implementations.ts'
import { brokenRecord, claim, eventTypes, facts, jobIdOf, newJob, start, submit } from './support/jobs.ts'

describe.each(implementations)('$name: requestCancel', ({ open }) => {
  test('ends a job of which nothing runs', () => {
    const { store } = open()
    submit(store, newJob(1, {}, 2))
    const before = store.lastEventId()
    const outcome = store.requestCancel(jobIdOf(1), 'user', start + 7)
    expect(outcome).toMatchObject({
      kind: 'cancelled',
      job: {
        state: 'cancelled',
        startedAt: null,
        finishedAt: start + 7,
        cancelReason: 'user',
        counts: { cancelled: 2, available: 0 },
      },
    })
    expect(store.readUnits(jobIdOf(1), { limit: 5 })).toMatchObject([{ state: 'cancelled' }, { state: 'cancelled' }])
    expect(eventTypes(store, before)).toEqual(['job.cancel_requested', 'job.cancelled'])
  })

  test('cancels what is available and answers what must be stopped', () => {
    const { store } = open()
    submit(store, newJob(1, {}, 3))
    const { fence } = claim(store, jobIdOf(1))
    const outcome = store.requestCancel(jobIdOf(1), 'user', start)
    expect(outcome).toMatchObject({
      kind: 'cancelling',
      job: { state: 'running', cancelRequestedAt: start, counts: { available: 0, running: 1, cancelled: 2 } },
      held: [{ fence, job: { id: jobIdOf(1), cancelRequestedAt: start }, executor: 'command' }],
    })
    expect(store.readRunnableJobs(0, 10)).toEqual([])
  })

  test('is idempotent: the first reason and time stay, no event is written again', () => {
    const { store } = open()
    submit(store, newJob(1))
    claim(store, jobIdOf(1))
    const first = store.requestCancel(jobIdOf(1), 'user', start)
    const events = store.lastEventId()
    expect(store.requestCancel(jobIdOf(1), 'deadline', start + 99)).toEqual(first)
    expect(store.lastEventId()).toBe(events)
  })

  test('tells an unknown job from a final one', () => {
    const { store } = open()
    submit(store, newJob(1))
    store.completeUnitIfHeld(claim(store, jobIdOf(1)).fence, null, facts())
    expect(store.requestCancel(jobIdOf(1), 'user', start)).toMatchObject({
      kind: 'already_final',
      job: { state: 'completed', cancelRequestedAt: null },
    })
    expect(store.requestCancel(jobIdOf(2), 'user', start)).toEqual({ kind: 'not_found' })
  })

  test.each<[CancelReason, JobState]>([
    ['user', 'cancelled'],
    ['dependency', 'cancelled'],
    ['rejected', 'cancelled'],
    ['overlap', 'cancelled'],
    ['unit_failed', 'failed'],
    ['deadline', 'failed'],
  ])('a job stopped for the reason %s ends %s', (reason, state) => {
    const { store } = open()
    submit(store, newJob(1))
    expect(store.requestCancel(jobIdOf(1), reason, start)).toMatchObject({
      kind: 'cancelled',
      job: { state, cancelReason: reason },
    })
  })

  test('a job that ran out of its total time says so', () => {
    const { store } = open()
    submit(store, newJob(1))
    const { fence } = claim(store, jobIdOf(1))
    store.requestCancel(jobIdOf(1), 'deadline', start)
    const end = store.cancelUnitIfHeld(fence, null, facts())
    expect(end?.job).toMatchObject({ state: 'failed', error: { code: 'attempt_timed_out' } })
  })

  test('a job cancelled after a unit had failed keeps its error', () => {
    const { store } = open()
    submit(store, newJob(1, {}, 2))
    store.failUnitIfHeld(claim(store, jobIdOf(1)).fence, 'failed', null, null, facts({ error: brokenRecord }))
    const outcome = store.requestCancel(jobIdOf(1), 'user', start)
    expect(outcome).toMatchObject({ kind: 'cancelled', job: { state: 'cancelled', error: brokenRecord } })
  })
})
