import type { ErrorRecord } from '../domain/errors.ts'
import type { Job, KeyLimits } from '../domain/job.ts'
import type { CancelReason, JobState, Priority } from '../domain/states.ts'
import type { GpuPreference } from '../domain/wire/gpu.ts'

/** A row of the view `job_snapshot`, as far as a Job needs it. */
export interface JobRow {
  seq: number
  id: string
  queue: string
  type: string
  name: string
  state: JobState
  priority: Priority
  run_at: number
  concurrency: number | null
  max_attempts: number
  rerun_of: string | null
  submitted_by: string
  paused_at: number | null
  frozen_at: number | null
  held_at: number | null
  hold_kind: 'review' | 'permission' | null
  decision: 'approved' | 'rejected' | null
  sealed_at: number | null
  keep_open: 0 | 1
  test_units: number | null
  /** JSON. */
  key_limits: string | null
  open_dependencies: number
  failure_budget: number | null
  failure_budget_percent: number | null
  stop_early: 0 | 1
  final_step_state: 'waiting' | 'running' | 'done' | null
  schedule_id: string | null
  cancel_requested_at: number | null
  cancel_reason: CancelReason | null
  error: string | null
  created_at: number
  started_at: number | null
  finished_at: number | null
  settled_event: number | null
  gpu: GpuPreference
  gpu_waits_since: number | null
  count_total: number
  count_available: number
  count_running: number
  count_completed: number
  count_failed: number
  count_cancelled: number
  /** JSON object. */
  labels: string
}

/** @returns the job of a row; CHECKs keep state and times in step. */
export function toJob(row: JobRow): Job {
  return {
    id: row.id,
    seq: row.seq,
    type: row.type,
    queue: row.queue,
    name: row.name,
    labels: row.labels === '{}' ? {} : (JSON.parse(row.labels) as Record<string, string>),
    priority: row.priority,
    runAt: row.run_at,
    concurrency: row.concurrency,
    maxAttempts: row.max_attempts,
    rerunOf: row.rerun_of,
    submittedBy: row.submitted_by,
    pausedAt: row.paused_at,
    frozenAt: row.frozen_at,
    heldAt: row.held_at,
    holdKind: row.hold_kind,
    decision: row.decision,
    sealedAt: row.sealed_at,
    keepOpen: row.keep_open === 1,
    testUnits: row.test_units,
    keyLimits: toKeyLimits(row.key_limits),
    openDependencies: row.open_dependencies,
    failureBudget: {
      units: row.failure_budget,
      percent: row.failure_budget_percent,
      stopEarly: row.stop_early === 1,
    },
    finalStep: row.final_step_state,
    scheduleId: row.schedule_id,
    gpu: row.gpu,
    gpuWaitsSince: row.gpu_waits_since,
    cancelRequestedAt: row.cancel_requested_at,
    cancelReason: row.cancel_reason,
    counts: {
      total: row.count_total,
      available: row.count_available,
      running: row.count_running,
      completed: row.count_completed,
      failed: row.count_failed,
      cancelled: row.count_cancelled,
    },
    createdAt: row.created_at,
    state: row.state,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    error: row.error === null ? null : (JSON.parse(row.error) as ErrorRecord),
  } as Job
}

export function toKeyLimits(text: string | null): KeyLimits | null {
  return text === null ? null : (JSON.parse(text) as KeyLimits)
}
