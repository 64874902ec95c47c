import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import { claim, claimForGpu, facts, jobIdOf, newJob, submit, wrongFences } from './support/jobs.ts'

const remote = { worker: 'rig', remoteId: '01941f29-7c00-7000-b000-000000000001' }

describe.each(implementations)('$name: recordRemoteIfHeld', ({ open }) => {
  test('whoever finds the attempt later knows where it was offered', () => {
    const { store } = open()
    submit(store, newJob(1, { gpu: 'prefer' }))
    const { fence } = claimForGpu(store, jobIdOf(1))
    expect(store.findHeldUnits({ limit: 1 })).toMatchObject([{ executor: 'gpu', remote: null }])
    expect(store.recordRemoteIfHeld(fence, remote)).toBe(true)
    expect(store.findHeldUnits({ limit: 1 })).toMatchObject([{ fence, executor: 'gpu', remote }])
    expect(store.findHeldUnits({ workerId: fence.workerId, limit: 1 })).toMatchObject([{ remote }])
    expect(store.requestCancel(jobIdOf(1), 'user', 0)).toMatchObject({ held: [{ remote }] })
    expect(store.readAttempts(fence.unitId)).toMatchObject([{ mode: 'remote', remote, device: null }])
  })

  test('is false for a wrong fence, so that nothing is sent, and once the attempt has ended', () => {
    const { store } = open()
    submit(store, newJob(1, { gpu: 'prefer' }, 2))
    const { fence } = claimForGpu(store, jobIdOf(1))
    const other = claimForGpu(store, jobIdOf(1))
    for (const [what, wrong] of wrongFences(fence)) expect(store.recordRemoteIfHeld(wrong, remote), what).toBe(false)
    store.releaseUnitIfHeld(fence, facts())
    expect(store.recordRemoteIfHeld(fence, remote)).toBe(false)
    claimForGpu(store, jobIdOf(1), { now: facts().now })
    expect(store.recordRemoteIfHeld(fence, remote)).toBe(false)
    for (const unitId of [fence.unitId, other.fence.unitId])
      expect(store.readAttempts(unitId).map((attempt) => attempt.remote)).not.toContainEqual(remote)
  })

  test('survives adoption by another manager', () => {
    const { store } = open()
    submit(store, newJob(1, { gpu: 'require' }))
    const { fence } = claimForGpu(store, jobIdOf(1))
    store.recordRemoteIfHeld(fence, remote)
    const next = { id: 'worker-3', kind: 'gpu', name: 'next', pid: 1, slots: 1 } as const
    store.registerWorker(next, 0, 1)
    const adopted = store.adoptUnitIfHeld(fence, next.id)
    expect(store.findHeldUnits({ limit: 1 })).toMatchObject([{ fence: adopted, remote }])
    expect(store.recordRemoteIfHeld(fence, { ...remote, worker: 'old' })).toBe(false)
  })

  test('a local attempt has none', () => {
    const { store } = open()
    submit(store, newJob(1))
    const { fence } = claim(store, jobIdOf(1))
    expect(store.readAttempts(fence.unitId)).toMatchObject([{ remote: null, device: null, fallbackReason: null }])
  })
})
