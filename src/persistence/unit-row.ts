import type { Progress, Unit } from '../domain/job.ts'
import type { UnitState } from '../domain/states.ts'

/** What a guarded change of a unit returns. */
export interface ChangedUnitRow {
  seq: number
  id: string
  job_seq: number
  position: number
  key: string | null
  limit_key: string | null
  final_step: 0 | 1
  state: UnitState
  available_at: number
  attempt: number
  failures: number
  crashes: number
  finished_at: number | null
}

/** A row of the view `unit_snapshot`. */
export interface UnitRow extends ChangedUnitRow, ProgressRow {
  job_id: string
  nonce: string | null
  leased_by: string | null
}

/** Progress of the unit's own attempt; all null when none was stored. */
export interface ProgressRow {
  progress_current: number | null
  progress_total: number | null
  progress_message: string | null
  progress_stage: string | null
}

/** @returns the unit of a row; CHECKs keep state, lease and times in step. */
export function toUnit(row: UnitRow): Unit {
  const progress = toProgress(row)
  const base = {
    id: row.id,
    jobId: row.job_id,
    position: row.position,
    key: row.key,
    limitKey: row.limit_key,
    finalStep: row.final_step === 1,
    attempt: row.attempt,
    failures: row.failures,
    crashes: row.crashes,
    progress,
  }
  if (row.state === 'available') return { ...base, state: row.state, availableAt: row.available_at }
  if (row.state === 'running')
    return { ...base, state: row.state, nonce: row.nonce ?? '', workerId: row.leased_by ?? '' }
  return { ...base, state: row.state, finishedAt: row.finished_at ?? 0 }
}

function toProgress(row: ProgressRow): Progress | null {
  if (row.progress_current === null) return null
  return {
    current: row.progress_current,
    total: row.progress_total,
    message: row.progress_message,
    stage: row.progress_stage,
  }
}
