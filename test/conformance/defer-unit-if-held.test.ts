import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import { claim, claimSome, eventTypes, facts, jobIdOf, newJob, start, submit, wrongFences } from './support/jobs.ts'

describe.each(implementations)('$name: deferUnitIfHeld', ({ open }) => {
  test('makes the unit available at the reset, and counts nothing', () => {
    const { store } = open()
    submit(store, newJob(1, { maxAttempts: 1 }))
    for (const attempt of [1, 2, 3]) {
      const { fence } = claim(store, jobIdOf(1), { now: start + attempt * 1_000 })
      const until = start + (attempt + 1) * 1_000
      const end = store.deferUnitIfHeld(fence, until, { tail: '429' }, facts({ exitCode: 75 }))
      const unit = { state: 'available', attempt, failures: 0, crashes: 0, availableAt: until }
      expect(end).toMatchObject({ settled: false, unit, job: { state: 'running' } })
      expect(claimSome(store, jobIdOf(1), 1, { now: until - 1 })).toEqual([])
      expect(store.readAttempts(fence.unitId).at(-1)).toMatchObject({ outcome: 'rate_limited', exitCode: 75 })
      expect(store.readUnitPayload(fence.unitId)?.output).toEqual({ tail: '429' })
    }
    expect(eventTypes(store).filter((type) => type === 'unit.rate_limited')).toHaveLength(3)
  })

  test('a cancel wins', () => {
    const { store } = open()
    submit(store, newJob(1))
    const { fence } = claim(store, jobIdOf(1))
    store.requestCancel(jobIdOf(1), 'user', start)
    const end = store.deferUnitIfHeld(fence, start + 1_000, null, facts())
    expect(end).toMatchObject({ settled: true, unit: { state: 'cancelled' }, job: { state: 'cancelled' } })
  })

  test('answers null for a wrong fence and keeps nothing', () => {
    const { store } = open()
    submit(store, newJob(1))
    const { fence } = claim(store, jobIdOf(1))
    for (const [what, wrong] of wrongFences(fence)) {
      expect(store.deferUnitIfHeld(wrong, start, 'stale', facts()), what).toBeNull()
    }
    expect(store.readUnitPayload(fence.unitId)?.output).toBeNull()
    expect(store.readUnits(jobIdOf(1), { limit: 1 })[0]?.state).toBe('running')
  })
})
