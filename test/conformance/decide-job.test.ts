import { describe, expect, test } from 'vitest'
import type { JobStore } from '../../src/domain/ports/job-store.ts'
import { implementations } from './support/implementations.ts'
import {
  brokenRecord,
  claim,
  claimSome,
  eventTypes,
  facts,
  jobIdOf,
  newJob,
  start,
  submit,
  unitIdOf,
} from './support/jobs.ts'

const range = (total: number) => ({ kind: 'range', from: 0, step: 1, total }) as const

/** A job with two test units and a source with `waiting` more. @returns the seq of the source */
function testFirst(store: JobStore, waiting: number): number {
  submit(store, newJob(1, { testUnits: 2, source: range(waiting) }, 2))
  return store.readOpenSources(1)[0]?.seq ?? 0
}

function endBoth(store: JobStore): void {
  const [first, second] = claimSome(store, jobIdOf(1), 2)
  if (first === undefined || second === undefined) throw new Error('not claimed')
  store.failUnitIfHeld(first.fence, 'failed', null, null, facts({ error: brokenRecord }))
  store.completeUnitIfHeld(second.fence, null, facts())
}

function insert(store: JobStore, sourceSeq: number, positions: readonly number[], done: boolean) {
  const units = positions.map((position) => ({ id: unitIdOf(1, position), input: position }))
  return store.insertUnits(sourceSeq, { units, cursor: positions.length, done }, start + 7_000)
}

describe.each(implementations)('$name: decideJob', ({ open }) => {
  test('the job is held with the end of its last test unit, and fed only once it is approved', () => {
    const { store } = open()
    submit(store, newJob(1, { testUnits: 2, source: range(5) }, 2))
    expect(store.readOpenSources(5)).toEqual([])
    endBoth(store)
    expect(store.readJob(jobIdOf(1))).toMatchObject({ state: 'running', heldAt: start + 5_000, holdKind: 'review' })
    expect(eventTypes(store).slice(-2)).toEqual(['unit.completed', 'job.held'])
    expect(store.readOpenSources(5)).toEqual([])
    store.takeConsequences()
    const decided = store.decideJob(jobIdOf(1), 'approved', 'person', start + 6_000)
    expect(decided).toMatchObject({ kind: 'decided', job: { heldAt: null, holdKind: null, decision: 'approved' } })
    expect(store.takeConsequences().feed).toBe(true)
    const sourceSeq = store.readOpenSources(5)[0]?.seq ?? 0
    insert(store, sourceSeq, [2, 3, 4, 5, 6], true)
    expect(store.readJob(jobIdOf(1))).toMatchObject({ heldAt: null, sealedAt: start + 7_000, counts: { total: 7 } })
    for (const { fence } of claimSome(store, jobIdOf(1), 9, { now: start + 8_000 })) {
      store.completeUnitIfHeld(fence, null, facts())
    }
    expect(store.readJob(jobIdOf(1))).toMatchObject({ state: 'failed', counts: { completed: 6, failed: 1 } })
  })

  test('rejecting cancels the job with that reason', () => {
    const { store } = open()
    testFirst(store, 5)
    endBoth(store)
    const decided = store.decideJob(jobIdOf(1), 'rejected', 'person', start + 6_000)
    expect(decided).toMatchObject({
      kind: 'decided',
      job: { state: 'cancelled', cancelReason: 'rejected', decision: 'rejected', heldAt: null },
    })
    expect(eventTypes(store).slice(-3)).toEqual(['job.rejected', 'job.cancel_requested', 'job.cancelled'])
    // Nothing feeds them any more; a rerun still finds them.
    expect(store.readOpenSources(10)).toEqual([])
    expect(store.readSourceTotals(jobIdOf(1)).waiting).toBe(5)
    expect(store.readUnfedSources(jobIdOf(1))).toHaveLength(1)
  })

  test('decides nothing that is not held', () => {
    const { store } = open()
    submit(store, newJob(1))
    const job = store.readJob(jobIdOf(1))
    expect(store.decideJob(jobIdOf(1), 'approved', 'person', start)).toEqual({ kind: 'not_held', job })
    expect(store.decideJob(jobIdOf(2), 'approved', 'person', start)).toEqual({ kind: 'not_found' })
    store.requestCancel(jobIdOf(1), 'user', start)
    expect(store.decideJob(jobIdOf(1), 'rejected', 'person', start)).toMatchObject({ kind: 'not_held' })
  })

  test('a job is not held while test units are missing, waiting to retry or running', () => {
    const { store } = open()
    submit(store, newJob(1, { testUnits: 3, maxAttempts: 2, source: range(9) }, 2))
    const [first, second] = claimSome(store, jobIdOf(1), 2)
    if (first === undefined || second === undefined) throw new Error('not claimed')
    store.completeUnitIfHeld(first.fence, null, facts())
    store.completeUnitIfHeld(second.fence, null, facts())
    expect(store.readJob(jobIdOf(1))?.heldAt).toBeNull()
    const [source] = store.readOpenSources(5)
    insert(store, source?.seq ?? 0, [2], false)
    expect(store.readOpenSources(5)).toEqual([])
    const third = claim(store, jobIdOf(1), { now: start + 8_000 })
    store.failUnitIfHeld(third.fence, 'failed', start + 9_000, null, facts({ now: start + 8_000 }))
    expect(store.readJob(jobIdOf(1))?.heldAt).toBeNull()
    store.completeUnitIfHeld(claim(store, jobIdOf(1), { now: start + 9_000 }).fence, null, facts())
    expect(store.readJob(jobIdOf(1))?.holdKind).toBe('review')
  })

  test('a job whose units were all test units settles without a hold', () => {
    const { store } = open()
    submit(store, newJob(1, { testUnits: 2, units: [], source: range(2) }))
    insert(store, store.readOpenSources(1)[0]?.seq ?? 0, [0, 1], true)
    for (const { fence } of claimSome(store, jobIdOf(1), 2)) store.completeUnitIfHeld(fence, null, facts())
    expect(store.readJob(jobIdOf(1))).toMatchObject({ state: 'completed', heldAt: null })
  })

  test('units that are added after the test units of an open job have ended wait for the review', () => {
    const { store } = open()
    submit(store, newJob(1, { testUnits: 1, keepOpen: true }))
    store.completeUnitIfHeld(claim(store, jobIdOf(1)).fence, null, facts())
    expect(store.readJob(jobIdOf(1))?.heldAt).toBeNull()
    expect(store.appendSource(jobIdOf(1), range(3), start + 6_000)).toMatchObject({ job: { holdKind: 'review' } })
    expect(store.readOpenSources(5)).toEqual([])
  })

  test('a cancel ends the hold', () => {
    const { store } = open()
    testFirst(store, 5)
    endBoth(store)
    expect(store.requestCancel(jobIdOf(1), 'user', start + 6_000)).toMatchObject({ kind: 'cancelled' })
  })
})
