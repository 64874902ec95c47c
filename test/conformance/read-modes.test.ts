import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import { awayRecord, claim, claimForGpu, facts, jobIdOf, newJob, start, submit, unitIdOf } from './support/jobs.ts'

describe.each(implementations)('$name: readModes', ({ open }) => {
  test('says how the units of a job ran last, the most frequent first', () => {
    const { store } = open()
    submit(store, newJob(1, { gpu: 'prefer' }, 5))
    for (let unit = 0; unit < 2; unit += 1) {
      const { fence } = claimForGpu(store, jobIdOf(1))
      store.recordRemoteIfHeld(fence, { worker: 'rig', remoteId: `remote ${unit}` })
      store.recordDeviceIfHeld(fence, 'NVIDIA H200', 'gpu')
      if (unit === 0) store.completeUnitIfHeld(fence, null, facts())
    }
    const lost = claimForGpu(store, jobIdOf(1))
    store.recordRemoteIfHeld(lost.fence, { worker: 'rig', remoteId: 'remote 3' })
    const away = facts({ exitCode: null, error: awayRecord, now: start })
    store.returnUnitIfHeld(lost.fence, { to: 'local', restarted: false }, away)
    claim(store, jobIdOf(1))
    claimForGpu(store, jobIdOf(1))
    expect(store.readModes(jobIdOf(1))).toEqual([
      { mode: 'gpu', device: 'NVIDIA H200', worker: 'rig', fallbackReason: null, units: 2, running: 1 },
      { mode: 'local (gpu fallback)', device: null, worker: null, fallbackReason: awayRecord, units: 1, running: 1 },
      { mode: 'remote', device: null, worker: null, fallbackReason: null, units: 1, running: 1 },
    ])
  })

  test('is empty before anything ran, and for jobs that never ask for a GPU or are not there', () => {
    const { store } = open()
    submit(store, newJob(1, { gpu: 'prefer' }))
    submit(store, newJob(2))
    claim(store, jobIdOf(2))
    expect([1, 2, 3].map((job) => store.readModes(jobIdOf(job)))).toEqual([[], [], []])
  })

  test('leaves the final step out', () => {
    const { store } = open()
    const finalStep = { unitId: unitIdOf(1, 99), params: {} }
    submit(store, newJob(1, { gpu: 'require', finalStep }))
    const { fence } = claimForGpu(store, jobIdOf(1))
    store.recordDeviceIfHeld(fence, 'NVIDIA H200', 'gpu')
    store.completeUnitIfHeld(fence, null, facts())
    claim(store, jobIdOf(1))
    expect(store.readModes(jobIdOf(1))).toMatchObject([{ mode: 'gpu', units: 1 }])
  })

  test('names twenty at most', () => {
    const { store } = open()
    submit(store, newJob(1, { gpu: 'prefer' }, 23))
    for (let unit = 0; unit < 23; unit += 1)
      store.recordDeviceIfHeld(claimForGpu(store, jobIdOf(1)).fence, `card ${String(unit).padStart(2, '0')}`, 'gpu')
    expect(store.readModes(jobIdOf(1)).map(({ device }) => device)).toEqual(
      Array.from({ length: 20 }, (_, index) => `card ${String(index).padStart(2, '0')}`),
    )
  })
})
