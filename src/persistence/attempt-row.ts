import type { ErrorRecord } from '../domain/errors.ts'
import type { Attempt, RunnerIdentity } from '../domain/job.ts'
import type { RemoteIdentity } from '../domain/ports/remote-executor.ts'
import type { AttemptOutcome, ExecutorKind } from '../domain/states.ts'

export interface RunnerRow {
  runner_pid: number | null
  runner_start_time: string | null
  runner_boot_id: string | null
}

export interface AttemptRow extends RunnerRow {
  attempt: number
  nonce: string
  worker_id: string
  executor: ExecutorKind
  mode: string
  outcome: AttemptOutcome
  exit_code: number | null
  error: string | null
  started_at: number
  finished_at: number | null
  remote_worker: string | null
  remote_id: string | null
  device: string | null
  /** JSON. */
  fallback_reason: string | null
}

/** @returns the attempt of a row. */
export function toAttempt(unitId: string, row: AttemptRow): Attempt {
  return {
    unitId,
    attempt: row.attempt,
    nonce: row.nonce,
    workerId: row.worker_id,
    executor: row.executor,
    mode: row.mode,
    remote: toRemote(row),
    device: row.device,
    fallbackReason: row.fallback_reason === null ? null : (JSON.parse(row.fallback_reason) as ErrorRecord),
    startedAt: row.started_at,
    runner: toRunner(row),
    outcome: row.outcome,
    finishedAt: row.finished_at,
    error: row.error === null ? null : (JSON.parse(row.error) as ErrorRecord),
    exitCode: row.exit_code,
  } as Attempt
}

/** @returns the recorded runner, null when none was recorded. */
export function toRunner(row: RunnerRow): RunnerIdentity | null {
  if (row.runner_pid === null || row.runner_start_time === null || row.runner_boot_id === null) return null
  return { pid: row.runner_pid, startTime: row.runner_start_time, bootId: row.runner_boot_id }
}

/** @returns where it was offered; null: nowhere. */
export function toRemote(row: Pick<AttemptRow, 'remote_worker' | 'remote_id'>): RemoteIdentity | null {
  if (row.remote_worker === null || row.remote_id === null) return null
  return { worker: row.remote_worker, remoteId: row.remote_id }
}
