import { describe, expect, test } from 'vitest'
import type { UnitFilter } from '../../src/domain/ports/job-store.ts'
import { implementations } from './support/implementations.ts'
import { claim, claimSome, facts, finalStepIdOf, jobIdOf, newJob, options, submit, unitIdOf } from './support/jobs.ts'

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

  test('gives the payload back exactly', () => {
    const { store } = open()
    const params = { text: 'a "quoted" \u0000 line\n', number: -0.5, deep: [[], {}, [null]], ['__proto__']: 'own key' }
    const finalStep = { unitId: finalStepIdOf(1), params: { argv: ['tar'] } }
    const context = { env: { PATH: '/bin' }, cwd: '/tmp' }
    submit(store, newJob(1, { params, finalStep, context, workHash: 'w' }))
    expect(store.readJobPayload(jobIdOf(1))).toEqual({ params, options, finalStep, context, workHash: 'w' })
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

  test('finds units by state and by key, page by page', () => {
    const { store } = open()
    const units = [0, 1, 2, 3, 4, 5].map((position) => ({
      id: unitIdOf(1, position),
      input: position,
      key: position === 5 ? null : `k${position}`,
    }))
    submit(store, newJob(1, { units }))
    const [zero, one, two] = claimSome(store, jobIdOf(1), 3)
    if (zero === undefined || one === undefined || two === undefined) throw new Error('not claimed')
    store.failUnitIfHeld(zero.fence, 'failed', null, null, facts())
    store.completeUnitIfHeld(two.fence, null, facts())
    const positions = (filter: UnitFilter, page: { afterPosition?: number; limit: number } = { limit: 10 }) =>
      store.readUnits(jobIdOf(1), page, filter).map((unit) => unit.position)
    expect(positions({ states: ['failed'] })).toEqual([0])
    expect(positions({ states: ['running'] })).toEqual([1])
    expect(positions({ states: ['completed'] })).toEqual([2])
    expect(positions({ states: ['available', 'failed', 'running'] })).toEqual([0, 1, 3, 4, 5])
    expect(positions({ states: ['available', 'failed', 'running'] }, { afterPosition: 0, limit: 2 })).toEqual([1, 3])
    expect(positions({ states: [] })).toEqual([])
    expect(positions({ keys: ['k4', 'k0', 'k4', 'nobody'] })).toEqual([0, 4])
    expect(positions({ keys: ['k4', 'k0'] }, { afterPosition: 0, limit: 1 })).toEqual([4])
    expect(positions({ keys: ['k4', 'k0'], states: ['failed'] })).toEqual([0])
  })

  test('reads one unit by its id', () => {
    const { store } = open()
    submit(store, newJob(1, {}, 2))
    expect(store.readUnit(unitIdOf(1, 1))).toEqual(store.readUnits(jobIdOf(1), { limit: 2 })[1])
    expect(store.readUnit(unitIdOf(9, 1))).toBeNull()
  })
})

describe.each(implementations)('$name: readReruns, readIdempotencyKey, readJobElapsed', ({ open }) => {
  test('lists the jobs run again from one, oldest first', () => {
    const { store } = open()
    submit(store, newJob(1))
    for (const number of [2, 3, 4]) submit(store, newJob(number, { rerunOf: jobIdOf(1) }))
    submit(store, newJob(5, { rerunOf: jobIdOf(2) }))
    const ids = (limit: number) => store.readReruns(jobIdOf(1), limit).map((job) => job.id)
    expect(ids(10)).toEqual([jobIdOf(2), jobIdOf(3), jobIdOf(4)])
    expect(ids(2)).toEqual([jobIdOf(2), jobIdOf(3)])
    expect(store.readReruns(jobIdOf(4), 10)).toEqual([])
  })

  test('tells what a key was used for', () => {
    const { store } = open()
    submit(store, newJob(1))
    expect(store.readIdempotencyKey('key-1')).toEqual({ jobId: jobIdOf(1), contentHash: 'hash-1' })
    expect(store.readIdempotencyKey('key-2')).toBeNull()
  })

  test('adds up the awake time of a job', () => {
    const { store } = open()
    submit(store, newJob(1))
    expect(store.readJobElapsed(jobIdOf(1))).toBe(0)
    store.recordJobElapsed(jobIdOf(1), 700)
    store.recordJobElapsed(jobIdOf(1), 500)
    expect(store.readJobElapsed(jobIdOf(1))).toBe(1_200)
    store.recordJobElapsed(jobIdOf(9), 1)
    expect(store.readJobElapsed(jobIdOf(9))).toBe(0)
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
