import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import { claim, facts, jobIdOf, newJob, options, submit, unitIdOf } from './support/jobs.ts'

describe.each(implementations)('$name: readJob, readJobs, readJobPayload', ({ open }) => {
  test('answers null for what does not exist', () => {
    const { store } = open()
    expect(store.readJob(jobIdOf(1))).toBeNull()
    expect(store.readJobPayload(jobIdOf(1))).toBeNull()
  })

  test('answers the jobs that exist, in the order asked for', () => {
    const { store } = open()
    for (const number of [1, 2, 3]) submit(store, newJob(number))
    const found = store.readJobs([jobIdOf(3), jobIdOf(9), jobIdOf(1)])
    expect(found.map((job) => job.id)).toEqual([jobIdOf(3), jobIdOf(1)])
  })

  test('gives parameters and options back exactly', () => {
    const { store } = open()
    const params = { text: 'a "quoted" \u0000 line\n', number: -0.5, deep: [[], {}, [null]], ['__proto__']: 'own key' }
    submit(store, newJob(1, { params }))
    expect(store.readJobPayload(jobIdOf(1))).toEqual({ params, options })
    expect(Object.keys(store.readJobPayload(jobIdOf(1))?.params ?? {})).toContain('__proto__')
  })
})

describe.each(implementations)('$name: readUnits', ({ open }) => {
  test('pages by position', () => {
    const { store } = open()
    submit(store, newJob(1, {}, 5))
    const positions = (page: { afterPosition?: number; limit: number }) =>
      store.readUnits(jobIdOf(1), page).map((unit) => unit.position)
    expect(positions({ limit: 2 })).toEqual([0, 1])
    expect(positions({ afterPosition: 1, limit: 2 })).toEqual([2, 3])
    expect(positions({ afterPosition: 3, limit: 2 })).toEqual([4])
    expect(store.readUnits(jobIdOf(2), { limit: 2 })).toEqual([])
  })
})

describe.each(implementations)('$name: readUnitPayload, readAttempts', ({ open }) => {
  test('gives input and output of each unit', () => {
    const { store } = open()
    submit(store, newJob(1, {}, 2))
    store.completeUnitIfHeld(claim(store, jobIdOf(1)).fence, [0, false, null, ''], facts())
    expect(store.readUnitPayload(unitIdOf(1, 0))).toEqual({ input: { position: 0 }, output: [0, false, null, ''] })
    expect(store.readUnitPayload(unitIdOf(1, 1))).toEqual({ input: { position: 1 }, output: null })
    expect(store.readUnitPayload(unitIdOf(2, 0))).toBeNull()
  })

  test('lists every attempt from the first on', () => {
    const { store } = open()
    submit(store, newJob(1))
    store.releaseUnitIfHeld(claim(store, jobIdOf(1)).fence, facts({ now: 0 }))
    claim(store, jobIdOf(1))
    expect(store.readAttempts(unitIdOf(1, 0))).toMatchObject([
      { attempt: 1, outcome: 'released' },
      { attempt: 2, outcome: 'running' },
    ])
    expect(store.readAttempts(unitIdOf(2, 0))).toEqual([])
  })
})
