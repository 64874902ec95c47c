import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import { claim, eventTypes, facts, jobIdOf, newJob, start, submit, wrongFences } from './support/jobs.ts'

describe.each(implementations)('$name: cancelUnitIfHeld', ({ open }) => {
  test('confirms that the unit has stopped, with what it had printed', () => {
    const { store } = open()
    submit(store, newJob(1))
    const { fence } = claim(store, jobIdOf(1))
    store.requestCancel(jobIdOf(1), 'user', start)
    const before = store.lastEventId()
    const end = store.cancelUnitIfHeld(fence, { tail: 'half' }, facts({ exitCode: null }))
    expect(end).toMatchObject({ settled: true, unit: { state: 'cancelled' }, job: { state: 'cancelled', error: null } })
    expect(store.readUnitPayload(fence.unitId)?.output).toEqual({ tail: 'half' })
    expect(store.readAttempts(fence.unitId)).toMatchObject([{ outcome: 'cancelled' }])
    expect(eventTypes(store, before)).toEqual(['unit.cancelled', 'job.cancelled'])
  })

  test('answers null when no cancel was asked for, and keeps nothing', () => {
    const { store } = open()
    submit(store, newJob(1))
    const { fence } = claim(store, jobIdOf(1))
    expect(store.cancelUnitIfHeld(fence, 'output', facts())).toBeNull()
    expect(store.readUnitPayload(fence.unitId)?.output).toBeNull()
    expect(store.readUnits(jobIdOf(1), { limit: 1 })[0]?.state).toBe('running')
  })

  test('answers null for a wrong fence', () => {
    const { store } = open()
    submit(store, newJob(1))
    const { fence } = claim(store, jobIdOf(1))
    store.requestCancel(jobIdOf(1), 'user', start)
    for (const [what, wrong] of wrongFences(fence))
      expect(store.cancelUnitIfHeld(wrong, null, facts()), what).toBeNull()
    expect(store.readJob(jobIdOf(1))?.finishedAt).toBeNull()
  })
})
