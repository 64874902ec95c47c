import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import { claim, eventTypes, facts, jobIdOf, newJob, start, submit, wrongFences } from './support/jobs.ts'

describe.each(implementations)('$name: releaseUnitIfHeld', ({ open }) => {
  test('gives the unit back unharmed and at once', () => {
    const { store } = open()
    submit(store, newJob(1))
    const { fence } = claim(store, jobIdOf(1))
    const before = store.lastEventId()
    const end = store.releaseUnitIfHeld(fence, facts({ exitCode: null, now: start + 3 }))
    expect(end).toMatchObject({
      settled: false,
      unit: { state: 'available', failures: 0, crashes: 0, attempt: 1, availableAt: start + 3 },
    })
    expect(store.readAttempts(fence.unitId)).toMatchObject([{ outcome: 'released' }])
    expect(eventTypes(store, before)).toEqual(['unit.released'])
    expect(claim(store, jobIdOf(1), { now: start + 3 }).unit.attempt).toBe(2)
  })

  test('a cancel wins', () => {
    const { store } = open()
    submit(store, newJob(1))
    const { fence } = claim(store, jobIdOf(1))
    store.requestCancel(jobIdOf(1), 'user', start)
    const end = store.releaseUnitIfHeld(fence, facts())
    expect(end).toMatchObject({ settled: true, unit: { state: 'cancelled' }, job: { state: 'cancelled' } })
    expect(store.readAttempts(fence.unitId)[0]?.outcome).toBe('released')
  })

  test('answers null for a wrong fence', () => {
    const { store } = open()
    submit(store, newJob(1))
    const { fence } = claim(store, jobIdOf(1))
    for (const [what, wrong] of wrongFences(fence)) expect(store.releaseUnitIfHeld(wrong, facts()), what).toBeNull()
    expect(store.readUnits(jobIdOf(1), { limit: 1 })[0]?.state).toBe('running')
  })
})
