import type { Statement } from 'better-sqlite3'
import type { ChangeNotes } from './change-notes.ts'
import { mustStopEarly } from './failure-budget.ts'
import type { JobReader } from './job-reader.ts'
import type { JobRow } from './job-row.ts'
import type { JobStops } from './job-stops.ts'
import type { Binds, Prepare } from './statement-loader.ts'

export interface EarlyStopParts {
  readonly jobs: JobReader
  readonly notes: ChangeNotes
  readonly stops: JobStops
}

/** Cancels the rest of a job once more of its units have failed than may. */
export class EarlyStop {
  readonly #parts: EarlyStopParts
  readonly #sourceTotals: Statement<[Binds], { waiting: number }>

  constructor(prepare: Prepare, parts: EarlyStopParts) {
    this.#parts = parts
    this.#sourceTotals = prepare<{ waiting: number }>('read_source_totals')
  }

  /** @returns the job after it */
  judge(job: JobRow, now: number): JobRow {
    if (job.stop_early === 0 || job.count_failed === 0 || job.finished_at !== null) return job
    const { stops, jobs, notes } = this.#parts
    const waiting = job.sealed_at === null ? (this.#sourceTotals.get({ job_seq: job.seq })?.waiting ?? 0) : 0
    if (!mustStopEarly(job, waiting) || stops.stop(job.id, 'unit_failed', now) === null) return job
    notes.add({ kind: 'stop', seq: job.seq })
    return jobs.readRow(job.seq)
  }
}
