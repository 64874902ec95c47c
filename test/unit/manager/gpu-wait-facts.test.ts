import { expect, test } from 'vitest'
import { type ErrorRecord, errorKinds } from '../../../src/domain/errors.ts'
import type { GpuOptions, Job } from '../../../src/domain/job.ts'
import type { GpuOutlook } from '../../../src/domain/ports/remote-executor.ts'
import { gpuFactsOf } from '../../../src/manager/services/gpu-wait-facts.ts'
import type { ServiceContext } from '../../../src/manager/services/service-context.ts'
import { FakeGpuFleet, gpuWorkerStatus } from '../../support/fake-gpu-fleet.ts'
import { noon, queuedJob } from '../../support/job-builder.ts'

const prefer: GpuOptions = { preference: 'prefer', fallback: 'after_lease', waitMs: 60_000 }
const error: ErrorRecord = {
  code: 'gpu_unavailable',
  message: 'worker "rig": no answer',
  remedy: errorKinds.gpu_unavailable.remedy,
}
const slots = { total: 64, busy: 1 }

interface Choice {
  readonly job?: Job
  readonly options?: GpuOptions
  readonly outlook?: GpuOutlook
  readonly since?: number | null
  readonly isServed?: boolean
  readonly isWaiting?: boolean
  readonly fleet?: FakeGpuFleet
}

function factsOf(choice: Choice = {}) {
  const { job = queuedJob({ gpu: 'prefer' }), options = prefer, since = null, isServed = false } = choice
  const fleet = choice.fleet ?? new FakeGpuFleet([gpuWorkerStatus({ slots: { total: 2, free: 0 } })])
  if (choice.outlook !== undefined) fleet.outlook = choice.outlook
  const context = {
    fleet,
    clock: { now: () => noon },
    dispatcher: { slotsOfKind: () => slots },
    store: {
      readGpuWaiter: () =>
        choice.isWaiting === false
          ? null
          : { jobId: job.id, seq: job.seq, type: job.type, preference: options.preference, since, isServed },
      readJobPayload: () => ({ options: { gpu: options } }),
    },
    jobTypes: {
      handlerOf: (type: string) => ({ info: { type, version: '1', gpu_memory_megabytes: 8_000, pure: true } }),
    },
  } as unknown as ServiceContext
  return { facts: gpuFactsOf(context, job), fleet }
}

test('a worker that is ready is no wait; its slots are those of the GPU', () => {
  const { facts, fleet } = factsOf({
    outlook: { kind: 'ready' },
    job: queuedJob({ gpu: 'prefer', type: 'montecarlo' }),
  })
  expect(facts).toEqual({ slots })
  expect(fleet.asked).toEqual([{ type: 'montecarlo', version: '1', gpuMemoryMegabytes: 8_000, pure: true }])
})

test('busy workers are counted by the slots of those that serve the type', () => {
  const fleet = new FakeGpuFleet([
    gpuWorkerStatus({ slots: { total: 2, free: 0 }, job_types: ['command', 'fit'] }),
    gpuWorkerStatus({ name: 'other', slots: { total: 4, free: 4 }, job_types: ['fit'] }),
  ])
  const choice = { fleet, outlook: { kind: 'busy', error } as const, since: noon - 48_000 }
  expect(factsOf(choice).facts.gpuWait).toEqual({
    said: error.message,
    busySlots: 2,
    leftMs: 12_000,
    ending: 'falls_back',
  })
  expect(factsOf({ ...choice, isServed: true }).facts.gpuWait).toMatchObject({ leftMs: null, ending: null })
  fleet.workers = []
  expect(factsOf({ ...choice, options: { ...prefer, fallback: 'never' } }).facts.gpuWait).toMatchObject({
    busySlots: null,
    ending: 'fails',
  })
})

test('who may fall back does so at once when no worker is there; who must not waits and fails', () => {
  const outlook = { kind: 'unavailable', error } as const
  expect(factsOf({ outlook }).facts.gpuWait).toMatchObject({ leftMs: null, ending: 'falls_back' })
  const require: GpuOptions = { preference: 'require', fallback: 'never', waitMs: 24 * 3_600_000 }
  const since = noon - 3_600_000
  expect(factsOf({ outlook, options: require, since }).facts.gpuWait).toMatchObject({
    leftMs: 23 * 3_600_000,
    ending: 'fails',
  })
  expect(factsOf({ outlook, options: require, since: noon - 25 * 3_600_000 }).facts.gpuWait?.leftMs).toBe(0)
  // Not judged yet: the whole time is left.
  expect(factsOf({ outlook, options: require }).facts.gpuWait?.leftMs).toBe(24 * 3_600_000)
})

test('while the workers are asked nothing is promised', () => {
  expect(factsOf({ outlook: { kind: 'checking' } }).facts.gpuWait).toMatchObject({ said: null, ending: null })
})

test('what needs no worker, or has none to wait for, waits for none', () => {
  expect(factsOf({ isWaiting: false }).facts).toEqual({})
  expect(factsOf({ fleet: new FakeGpuFleet() }).facts).toEqual({})
  const unread = {} as unknown as ServiceContext
  expect(gpuFactsOf(unread, queuedJob({ gpu: 'never' }))).toEqual({})
})
