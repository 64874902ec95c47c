import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import { claim, facts, jobIdOf, newJob, start, submit } from './support/jobs.ts'

describe.each(implementations)('$name: shiftRetries', ({ open }) => {
  test('moves what backs off, and nothing that never ran, runs or is final', () => {
    const { store } = open()
    for (const number of [1, 2, 3, 4]) submit(store, newJob(number, { maxAttempts: 3 }))
    const retrying = claim(store, jobIdOf(1))
    store.failUnitIfHeld(retrying.fence, 'failed', start + 60_000, null, facts())
    claim(store, jobIdOf(2))
    const completed = claim(store, jobIdOf(3))
    store.completeUnitIfHeld(completed.fence, null, facts())
    const before = [2, 3, 4].map((number) => store.readUnits(jobIdOf(number), { limit: 1 }))

    expect(store.shiftRetries(-3_600_000)).toBe(1)
    expect(store.readUnits(jobIdOf(1), { limit: 1 })).toMatchObject([
      { state: 'available', availableAt: Math.max(0, start + 60_000 - 3_600_000) },
    ])
    expect([2, 3, 4].map((number) => store.readUnits(jobIdOf(number), { limit: 1 }))).toEqual(before)
  })

  test('never moves before zero', () => {
    const { store } = open()
    submit(store, newJob(1, { maxAttempts: 3 }))
    store.failUnitIfHeld(claim(store, jobIdOf(1)).fence, 'failed', start + 1, null, facts())
    expect(store.shiftRetries(-10 * start)).toBe(1)
    expect(store.readUnits(jobIdOf(1), { limit: 1 })).toMatchObject([{ availableAt: 0 }])
    expect(store.shiftRetries(-1)).toBe(0)
  })
})
