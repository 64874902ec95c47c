import type { ErrorRecord } from '../domain/errors.ts'
import type { Attempt, RunnerIdentity } from '../domain/job.ts'
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
