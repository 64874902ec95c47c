import Database from 'better-sqlite3'
import { onTestFinished } from 'vitest'
import { statePaths } from '../../../src/config/paths.ts'

export interface Counts {
  readonly total: number
  readonly available: number
  readonly running: number
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
}

/** What the database holds of one job at one moment. */
export interface Sample {
  /** As the triggers keep them. */
  readonly counts: Counts
  /** As a count of the rows gives them. */
  readonly rows: Counts
  /** Positions are 0 to total - 1 without gap or repetition exactly when this is true. */
  readonly isGapless: boolean
  readonly jobState: string
}

/** An attempt of a unit, as it is stored. */
export interface StoredAttempt {
  readonly position: number
  readonly state: string
  readonly attempt: number
  readonly outcome: string
}

export interface UnitRows {
  /** The counts alone: a quick look. */
  counts(jobId: string): Counts
  /** Counts and rows of a job in one read transaction. */
  sample(jobId: string): Sample
  attempts(jobId: string): readonly StoredAttempt[]
}

const sampled = `
  SELECT job.state AS job_state, job_count.*,
         count(unit.seq) AS row_total,
         coalesce(sum(unit.state = 'available'), 0) AS row_available,
         coalesce(sum(unit.state = 'running'), 0) AS row_running,
         coalesce(sum(unit.state = 'completed'), 0) AS row_completed,
         coalesce(sum(unit.state = 'failed'), 0) AS row_failed,
         coalesce(sum(unit.state = 'cancelled'), 0) AS row_cancelled,
         count(DISTINCT unit.position) AS positions, coalesce(max(unit.position), -1) AS last_position
  FROM job JOIN job_count ON job_count.job_seq = job.seq
  LEFT JOIN unit ON unit.job_seq = job.seq AND unit.final_step = 0
  WHERE job.id = ?`

/** Reads the rows of units from outside, without the product's code, also while no manager lives. */
export function openUnitRows(home: string): UnitRows {
  const database = new Database(statePaths(home).database, { readonly: true, fileMustExist: true, timeout: 5_000 })
  onTestFinished(() => {
    database.close()
  })
  const sampleRow = database.prepare<[string], Record<string, number> & { job_state: string }>(sampled)
  const countRow = database.prepare<[string], Counts>(
    'SELECT job_count.* FROM job JOIN job_count ON job_count.job_seq = job.seq WHERE job.id = ?',
  )
  const attemptRows = database.prepare<[string], StoredAttempt>(
    `SELECT unit.position, unit.state, attempt.attempt, attempt.outcome
     FROM unit JOIN job ON job.seq = unit.job_seq LEFT JOIN attempt ON attempt.unit_seq = unit.seq
     WHERE job.id = ? ORDER BY unit.position, attempt.attempt`,
  )
  return {
    counts(jobId) {
      const row = countRow.get(jobId)
      if (row === undefined) throw new Error(`no job ${jobId}`)
      return row
    },
    sample(jobId) {
      const row = sampleRow.get(jobId)
      if (row === undefined) throw new Error(`no job ${jobId}`)
      const counts = (prefix: string): Counts => ({
        total: row[`${prefix}total`] ?? -1,
        available: row[`${prefix}available`] ?? -1,
        running: row[`${prefix}running`] ?? -1,
        completed: row[`${prefix}completed`] ?? -1,
        failed: row[`${prefix}failed`] ?? -1,
        cancelled: row[`${prefix}cancelled`] ?? -1,
      })
      const rows = counts('row_')
      return {
        counts: counts(''),
        rows,
        isGapless: row['positions'] === rows.total && row['last_position'] === rows.total - 1,
        jobState: row.job_state,
      }
    },
    attempts: (jobId) => attemptRows.all(jobId),
  }
}
