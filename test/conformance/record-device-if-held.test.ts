import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import { claim, claimForGpu, facts, jobIdOf, newJob, submit, wrongFences } from './support/jobs.ts'

describe.each(implementations)('$name: recordDeviceIfHeld', ({ open }) => {
  test('names what computes it, and how it runs from now on', () => {
    const { store } = open()
    submit(store, newJob(1, { gpu: 'prefer' }))
    const { fence } = claimForGpu(store, jobIdOf(1))
    expect(store.recordDeviceIfHeld(fence, 'NVIDIA H200', 'gpu')).toBe(true)
    expect(store.readAttempts(fence.unitId)).toMatchObject([{ mode: 'gpu', device: 'NVIDIA H200' }])
    store.completeUnitIfHeld(fence, null, facts())
    expect(store.readAttempts(fence.unitId)).toMatchObject([
      { outcome: 'completed', mode: 'gpu', device: 'NVIDIA H200', fallbackReason: null },
    ])
  })

  test('without a mode the mode stays', () => {
    const { store } = open()
    submit(store, newJob(1))
    const { fence } = claim(store, jobIdOf(1))
    store.recordDeviceIfHeld(fence, 'llvmpipe (software)', null)
    expect(store.readAttempts(fence.unitId)).toMatchObject([{ mode: 'local', device: 'llvmpipe (software)' }])
  })

  test('is false for a wrong fence and after the end', () => {
    const { store } = open()
    submit(store, newJob(1, { gpu: 'require' }))
    const { fence } = claimForGpu(store, jobIdOf(1))
    for (const [what, wrong] of wrongFences(fence))
      expect(store.recordDeviceIfHeld(wrong, 'X', 'gpu'), what).toBe(false)
    store.completeUnitIfHeld(fence, null, facts())
    expect(store.recordDeviceIfHeld(fence, 'X', 'gpu')).toBe(false)
    expect(store.readAttempts(fence.unitId)).toMatchObject([{ mode: 'remote', device: null }])
  })
})
