import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import { claim, jobIdOf, newJob, submit, unitIdOf } from './support/jobs.ts'

describe.each(implementations)('$name: readCheckpoints', ({ open }) => {
  test('gives those of the units asked for, by id; units without one and unknown ids are left out', () => {
    const { store } = open()
    submit(store, newJob(1, {}, 4))
    const claims = [0, 1, 2, 3].map(() => claim(store, jobIdOf(1)))
    for (const position of [0, 2, 3]) {
      const fence = claims[position]?.fence
      if (fence !== undefined)
        store.recordCheckpointIfHeld(fence, { state: { position }, format: position === 2 ? 'positions/2' : null })
    }
    const asked = [2, 1, 0].map((position) => unitIdOf(1, position))
    expect(store.readCheckpoints([...asked, unitIdOf(9, 9)])).toEqual(
      new Map([
        [unitIdOf(1, 0), { state: { position: 0 }, format: null }],
        [unitIdOf(1, 2), { state: { position: 2 }, format: 'positions/2' }],
      ]),
    )
    expect(store.readCheckpoints([])).toEqual(new Map())
  })

  test('its state may be null', () => {
    const { store } = open()
    submit(store, newJob(1))
    const { fence } = claim(store, jobIdOf(1))
    store.recordCheckpointIfHeld(fence, { state: null, format: null })
    expect(store.readCheckpoints([fence.unitId])).toEqual(new Map([[fence.unitId, { state: null, format: null }]]))
  })
})
