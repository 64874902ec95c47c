import { describe, expect, it } from 'vitest'
import { implementations } from './support/implementations.ts'
import { newJob, submit, unitIdOf } from './support/jobs.ts'

describe.each(implementations)('readUnitInputs ($name)', ({ open }) => {
  it('gives the inputs of the units that exist, by id', () => {
    const { store } = open()
    submit(store, newJob(1, {}, 3))
    const inputs = store.readUnitInputs([unitIdOf(1, 2), unitIdOf(1, 0), unitIdOf(9, 9)])
    expect([...inputs].sort()).toEqual([
      [unitIdOf(1, 0), { position: 0 }],
      [unitIdOf(1, 2), { position: 2 }],
    ])
  })
})
