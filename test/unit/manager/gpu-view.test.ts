import { expect, test } from 'vitest'
import { type ErrorRecord, errorKinds } from '../../../src/domain/errors.ts'
import type { EndedAttempt, Unit } from '../../../src/domain/job.ts'
import type { ModeCount } from '../../../src/domain/ports/gpu-store.ts'
import { attemptView as attemptSchema, gpuJobView } from '../../../src/domain/wire/shared.ts'
import { jobRow, unitRow } from '../../../src/manager/services/export-rows.ts'
import { gpuView, modesText } from '../../../src/manager/services/gpu-view.ts'
import { attemptView } from '../../../src/manager/services/job-view.ts'
import type { ServiceContext } from '../../../src/manager/services/service-context.ts'
import { finalJob, noon, startedJob } from '../../support/job-builder.ts'

const reason: ErrorRecord = {
  code: 'gpu_unavailable',
  message: 'worker "rig": connection refused (ECONNREFUSED)',
  remedy: errorKinds.gpu_unavailable.remedy,
}
const attempt: EndedAttempt = {
  unitId: 'u',
  attempt: 2,
  nonce: 'n',
  workerId: 'w',
  executor: 'thread',
  mode: 'local (gpu fallback)',
  startedAt: noon - 1_000,
  runner: null,
  remote: null,
  device: 'AMD EPYC\u001b[2J',
  fallbackReason: reason,
  outcome: 'completed',
  finishedAt: noon,
  error: null,
  exitCode: null,
}
const modes: readonly ModeCount[] = [
  { mode: 'gpu', device: 'NVIDIA H200', worker: 'rig', fallbackReason: null, units: 5, running: 2 },
  { mode: 'gpu', device: 'NVIDIA A2', worker: 'old', fallbackReason: null, units: 2, running: 0 },
  { mode: 'local (gpu fallback)', device: null, worker: null, fallbackReason: reason, units: 1, running: 0 },
]

function contextWith(options: object) {
  return {
    store: { readJobPayload: () => ({ options }), readModes: () => modes },
  } as unknown as Pick<ServiceContext, 'store'>
}

test('a job that asks for a GPU tells its wishes and how its units ran, with device and reason', () => {
  const gpu = { preference: 'prefer', fallback: 'after_lease', waitMs: 90_000 }
  const view = gpuView(contextWith({ gpu }), startedJob({ gpu: 'prefer' }))
  if (view === null) throw new Error('no view')
  expect(gpuJobView.parse(view)).toEqual(view)
  expect(view).toMatchObject({ preference: 'prefer', fallback: 'after_lease', wait_s: 90 })
  expect(view.modes[0]).toEqual({
    mode: 'gpu',
    device: 'NVIDIA H200',
    worker: 'rig',
    units: 5,
    running: 2,
    fallback_reason: null,
  })
  expect(view.modes[2]).toMatchObject({ mode: 'local (gpu fallback)', fallback_reason: reason.message })
  expect(modesText(view)).toBe('gpu, local (gpu fallback)')
  expect(modesText({ ...view, modes: [] })).toBeNull()
})

test('of a job that never asks for one nothing is read', () => {
  expect(gpuView({} as unknown as Pick<ServiceContext, 'store'>, startedJob())).toBeNull()
})

test('an attempt tells device, worker and why it fell back, all of it harmless', () => {
  const view = attemptView(0, attempt)
  expect(attemptSchema.parse(view)).toEqual(view)
  expect(view).toMatchObject({ mode: 'local (gpu fallback)', worker: null, fallback_reason: reason.message })
  expect(view.device).not.toContain('\u001b')
  const remote = attemptView(0, {
    ...attempt,
    remote: { worker: 'rig', remoteId: 'r' },
    fallbackReason: null,
    device: null,
  })
  expect(remote).toMatchObject({ worker: 'rig', device: null, fallback_reason: null })
})

test('exported rows tell the same', () => {
  const job = finalJob('completed', { gpu: 'prefer' })
  expect(jobRow(job, {})).toMatchObject({ gpu: 'prefer' })
  const unit: Unit = {
    id: 'u',
    jobId: job.id,
    position: 0,
    key: null,
    limitKey: null,
    finalStep: false,
    attempt: 2,
    failures: 0,
    crashes: 0,
    progress: null,
    state: 'completed',
    finishedAt: noon,
  }
  expect(unitRow(job, { unit, input: null, output: null, lastAttempt: attempt } as never)).toMatchObject({
    execution_mode: 'local (gpu fallback)',
    device: attempt.device,
    gpu_worker: null,
    fallback_reason: reason.message,
  })
})
