import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import { claim, eventTypes, facts, jobIdOf, newJob, otherWorker, start, submit, wrongFences } from './support/jobs.ts'

describe.each(implementations)('$name: adoptUnitIfHeld', ({ open }) => {
  test('gives the running attempt to another worker; only the new fence holds it', () => {
    const { store } = open()
    store.registerWorker(otherWorker, start, start + 60_000)
    submit(store, newJob(1))
    const { fence } = claim(store, jobIdOf(1))
    const adopted = store.adoptUnitIfHeld(fence, otherWorker.id)
    expect(adopted).toEqual({ ...fence, workerId: otherWorker.id })
    expect(store.completeUnitIfHeld(fence, 'from the past', facts())).toBeNull()
    expect(store.findHeldUnits({ workerId: otherWorker.id, limit: 10 })[0]?.fence).toEqual(adopted)
    expect(store.readAttempts(fence.unitId)).toMatchObject([
      { attempt: 1, workerId: otherWorker.id, outcome: 'running' },
    ])
    expect(eventTypes(store).at(-1)).toBe('unit.adopted')
    if (adopted === null) throw new Error('not adopted')
    expect(store.completeUnitIfHeld(adopted, 'done', facts())).not.toBeNull()
  })

  test('answers null for a wrong fence', () => {
    const { store } = open()
    store.registerWorker(otherWorker, start, start + 60_000)
    submit(store, newJob(1))
    const { fence } = claim(store, jobIdOf(1))
    for (const [what, wrong] of wrongFences(fence)) {
      expect(store.adoptUnitIfHeld(wrong, otherWorker.id), what).toBeNull()
    }
    expect(store.findHeldUnits({ limit: 10 })[0]?.fence).toEqual(fence)
  })
})
