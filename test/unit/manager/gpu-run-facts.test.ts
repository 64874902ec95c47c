import { expect, test } from 'vitest'
import { displayState } from '../../../src/domain/display-state.ts'
import { gpuRunFactsOf } from '../../../src/manager/services/gpu-run-facts.ts'
import type { ServiceContext } from '../../../src/manager/services/service-context.ts'
import { FakeGpuFleet, gpuWorkerStatus } from '../../support/fake-gpu-fleet.ts'
import { noon, startedJob } from '../../support/job-builder.ts'

const cancelled = startedJob({ gpu: 'prefer', cancelRequestedAt: noon - 5_000, cancelReason: 'user' })

function contextWith(reachable: boolean, running = 1, worker: string | null = 'rig') {
  const mode = { mode: 'gpu', device: null, worker, fallbackReason: null, units: 1, running }
  return {
    fleet: new FakeGpuFleet([gpuWorkerStatus({ reachable })]),
    settings: { gpu_lease: 60_000 },
    store: { readModes: () => [mode] },
  } as unknown as ServiceContext
}

test('a cancel that a GPU worker does not hear says by when its lease there is over', () => {
  const facts = gpuRunFactsOf(contextWith(false), cancelled)
  expect(displayState(cancelled, { now: noon, cancelGraceMs: 3_000, ...facts })).toEqual({
    state: 'cancelling',
    why: 'asked to stop 5 s ago; worker unreachable, ends by 2030-01-01 12:01 UTC',
  })
})

test('a running job whose GPU worker does not answer says so', () => {
  const running = startedJob({ gpu: 'prefer' })
  const why = (reachable: boolean) => {
    const facts = gpuRunFactsOf(contextWith(reachable), running)
    return displayState(running, { now: noon, ...facts }).why
  }
  expect(why(false)).toBe('running for 10 s; GPU worker rig does not answer')
  expect(why(true)).toBe('running for 10 s')
})

test('one that it hears speaks of no processes here', () => {
  const facts = gpuRunFactsOf(contextWith(true), cancelled)
  expect(displayState(cancelled, { now: noon, cancelGraceMs: 3_000, ...facts }).why).toBe('asked to stop 5 s ago')
})

test('what runs here, or asked for no GPU, is as ever', () => {
  expect(gpuRunFactsOf(contextWith(false, 0), cancelled)).toEqual({})
  expect(gpuRunFactsOf(contextWith(false, 1, null), cancelled)).toEqual({})
  const unread = {} as unknown as ServiceContext
  expect(gpuRunFactsOf(unread, { ...cancelled, gpu: 'never' })).toEqual({})
})
