import { expect, test } from 'vitest'
import { displayState } from '../../../src/domain/display-state.ts'
import { type GpuWait, gpuWaitText } from '../../../src/domain/gpu-wait.ts'
import { noon, queuedJob, startedJob, unitCounts } from '../../support/job-builder.ts'

const away: GpuWait = { said: 'worker "rig": no answer', busySlots: null, leftMs: 12_000, ending: 'falls_back' }

test.for<readonly [string, Partial<GpuWait>]>([
  ['waits for a GPU worker: worker "rig": no answer; falls back in 12 s', {}],
  ['waits for a GPU worker: worker "rig": no answer; falls back in 12 s', { said: 'worker "rig": no answer.' }],
  ['waits for a GPU worker: worker "rig": no answer; falls back now', { leftMs: 0 }],
  ['waits for a GPU worker: worker "rig": no answer; falls back to this machine', { leftMs: null }],
  [
    'waits for a GPU worker: worker "rig": no answer; fails in 23 h if none comes',
    { ending: 'fails', leftMs: 23 * 3_600_000 },
  ],
  ['all GPU workers are busy (2 of 2 slots); falls back in 12 s', { busySlots: 2 }],
  ['all GPU workers are busy (2 of 2 slots); fails in 12 s if none becomes free', { busySlots: 2, ending: 'fails' }],
  ['all GPU workers are busy (2 of 2 slots)', { busySlots: 2, ending: null, leftMs: null }],
  ['waits for a GPU worker: they are being asked', { said: null, ending: null, leftMs: null }],
])('%s', ([text, changes]) => {
  expect(gpuWaitText({ ...away, ...changes })).toBe(text)
})

test('a queued job, one between two attempts and one with several units say what they wait for', () => {
  const slots = { total: 2, busy: 2 }
  expect(displayState(queuedJob({ gpu: 'prefer' }), { now: noon, slots, gpuWait: away })).toEqual({
    state: 'queued',
    why: gpuWaitText(away),
  })
  const between = startedJob({ gpu: 'prefer', counts: unitCounts({ available: 1 }) })
  expect(displayState(between, { now: noon, gpuWait: away }).why).toBe(`between two attempts; ${gpuWaitText(away)}`)
  const many = startedJob({ gpu: 'prefer', counts: unitCounts({ available: 3, running: 1, completed: 4 }) })
  expect(displayState(many, { now: noon, gpuWait: { ...away, busySlots: 2, ending: null } }).why).toBe(
    'running for 10 s: 4 of 8 units ended, 1 running, 3 waiting; all GPU workers are busy (2 of 2 slots)',
  )
})

test('what holds a job before any worker is asked is told first', () => {
  const job = queuedJob({ gpu: 'require' })
  expect(displayState(job, { now: noon, queueFull: true, gpuWait: away }).why).toMatch(/^waits for its queue/)
  expect(displayState(job, { now: noon, draining: true, gpuWait: away }).why).toMatch(/next manager/)
  expect(displayState({ ...job, pausedAt: noon }, { now: noon, gpuWait: away }).state).toBe('paused')
})
