import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import {
  awayRecord,
  claim,
  claimForGpu,
  claimSome,
  eventTypes,
  facts,
  jobIdOf,
  newJob,
  start,
  submit,
  unitIdOf,
} from './support/jobs.ts'

const where = { jobId: jobIdOf(1), seq: 1 }

describe.each(implementations)('$name: placeUnitsHere', ({ open }) => {
  test('with a reason it is a fallback of each unit, told once for all', () => {
    const { store } = open()
    submit(store, newJob(1, { gpu: 'prefer' }, 3))
    store.takeConsequences()
    const before = store.lastEventId()
    expect(store.placeUnitsHere(where, awayRecord, 10, start + 1)).toBe(3)
    expect(store.readEvents(before, 9)).toMatchObject([
      {
        type: 'units.fell_back',
        jobId: jobIdOf(1),
        unitId: null,
        data: { count: 3, error_code: 'gpu_unavailable', reason: 'rig is away' },
        createdAt: start + 1,
      },
    ])
    expect(store.takeConsequences().runnable).toMatchObject([{ jobId: jobIdOf(1), forGpu: false }])
    expect(claimSome(store, jobIdOf(1), 9, { executor: 'gpu' })).toEqual([])
    for (const { unit } of claimSome(store, jobIdOf(1), 9))
      expect(store.readAttempts(unit.id)).toMatchObject([
        { mode: 'local (gpu fallback)', fallbackReason: awayRecord, error: null },
      ])
    expect(store.readGpuHistory([unitIdOf(1, 2)])).toEqual(
      new Map([[unitIdOf(1, 2), { restarts: 0, fallbackReason: awayRecord }]]),
    )
  })

  test('without a reason it is no fallback: no event, and the attempts are plain local ones', () => {
    const { store } = open()
    submit(store, newJob(1, { gpu: 'prefer' }))
    const before = store.lastEventId()
    expect(store.placeUnitsHere(where, null, 10, start)).toBe(1)
    expect(eventTypes(store, before)).toEqual([])
    const { unit } = claim(store, jobIdOf(1))
    expect(store.readAttempts(unit.id)).toMatchObject([{ mode: 'local', fallbackReason: null }])
    expect(store.readGpuHistory([unit.id])).toEqual(new Map())
  })

  test('goes by slices, and says how many', () => {
    const { store } = open()
    submit(store, newJob(1, { gpu: 'prefer' }, 5))
    expect([2, 2, 2, 2].map((limit) => store.placeUnitsHere(where, awayRecord, limit, start))).toEqual([2, 2, 1, 0])
    expect(eventTypes(store).filter((type) => type === 'units.fell_back')).toHaveLength(3)
  })

  test('leaves alone what runs at a worker, what is over, and other jobs', () => {
    const { store } = open()
    submit(store, newJob(1, { gpu: 'prefer' }, 3))
    submit(store, newJob(2, { gpu: 'prefer' }))
    const running = claimForGpu(store, jobIdOf(1))
    const done = claimForGpu(store, jobIdOf(1))
    store.completeUnitIfHeld(done.fence, null, facts())
    expect(store.placeUnitsHere(where, awayRecord, 10, start)).toBe(1)
    expect([...store.readGpuHistory([0, 1, 2].map((position) => unitIdOf(1, position))).keys()]).toEqual([
      unitIdOf(1, 2),
    ])
    expect(store.completeUnitIfHeld(running.fence, null, facts())).not.toBeNull()
    expect(claimForGpu(store, jobIdOf(2)).unit.position).toBe(0)
    store.requestCancel(jobIdOf(1), 'user', start)
    expect(store.placeUnitsHere(where, awayRecord, 10, start)).toBe(0)
  })

  test('restarts that were counted stay', () => {
    const { store } = open()
    submit(store, newJob(1, { gpu: 'prefer' }))
    const { fence } = claimForGpu(store, jobIdOf(1))
    store.returnUnitIfHeld(fence, { to: 'gpu', restarted: true }, facts({ error: awayRecord, now: start }))
    store.placeUnitsHere(where, awayRecord, 10, start)
    expect(store.readGpuHistory([fence.unitId]).get(fence.unitId)).toEqual({ restarts: 1, fallbackReason: awayRecord })
  })

  test('nothing waits: nothing changes', () => {
    const { store } = open()
    submit(store, newJob(1))
    const before = store.lastEventId()
    store.takeConsequences()
    expect(store.placeUnitsHere(where, awayRecord, 10, start)).toBe(0)
    expect(store.placeUnitsHere({ jobId: jobIdOf(9), seq: 9 }, awayRecord, 10, start)).toBe(0)
    expect(store.lastEventId()).toBe(before)
    expect(store.takeConsequences().runnable).toEqual([])
  })
})
