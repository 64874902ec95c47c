import type { Statement } from 'better-sqlite3'
import { QueueError } from '../domain/errors.ts'
import type { CancelOutcome } from '../domain/ports/job-store.ts'
import { type CancelReason, isFinalJobState } from '../domain/states.ts'
import type { ChangeNotes } from './change-notes.ts'
import type { JobReader } from './job-reader.ts'
import { type JobRow, toJob } from './job-row.ts'
import type { JobStops } from './job-stops.ts'
import type { Settlement } from './settlement.ts'
import type { Binds, Prepare } from './statement-loader.ts'
import type { Workers } from './workers.ts'

/** Asking for a cancel: the job is stopped, and ends when nothing of it runs. */
export class Cancellations {
  readonly #readCancelling: Statement<[Binds], { id: string }>
  readonly #jobs: JobReader
  readonly #notes: ChangeNotes
  readonly #settlement: Settlement
  readonly #stops: JobStops
  readonly #workers: Workers

  constructor(
    prepare: Prepare,
    jobs: JobReader,
    notes: ChangeNotes,
    settlement: Settlement,
    stops: JobStops,
    workers: Workers,
  ) {
    this.#readCancelling = prepare<{ id: string }>('read_cancelling_jobs')
    this.#jobs = jobs
    this.#notes = notes
    this.#settlement = settlement
    this.#stops = stops
    this.#workers = workers
  }

  request(jobId: string, reason: CancelReason, now: number): CancelOutcome {
    const seq = this.#stops.stop(jobId, reason, now)
    if (seq === null) return this.#answerUnchanged(jobId)
    const row = this.#settlement.advance(this.#jobs.readRow(seq), now)
    if (row.finished_at !== null) return { kind: 'cancelled', job: toJob(row) }
    // Named to the caller and to the manager alike: not every caller is one that stops units.
    this.#notes.add({ kind: 'stop', seq })
    return this.#cancelling(row)
  }

  /** @returns true when units of a cancelled job still wait to be cancelled */
  cancelMore(jobId: string, limit: number, now: number): boolean {
    const before = this.#jobs.findRow(jobId)
    if (before === null || before.finished_at !== null || before.cancel_requested_at === null) return false
    this.#stops.cancelSlice(before.seq, limit, now)
    return this.#settlement.advance(this.#jobs.readRow(before.seq), now).count_available > 0
  }

  readCancelling(limit: number): string[] {
    return this.#readCancelling.all({ limit }).map(({ id }) => id)
  }

  #answerUnchanged(jobId: string): CancelOutcome {
    const row = this.#jobs.findRow(jobId)
    if (row === null) return { kind: 'not_found' }
    if (isFinalJobState(row.state)) return { kind: 'already_final', job: toJob(row) }
    if (row.cancel_requested_at === null) throw new QueueError('internal', `job ${jobId} refused a cancel`)
    return this.#cancelling(row)
  }

  #cancelling(row: JobRow): CancelOutcome {
    return { kind: 'cancelling', job: toJob(row), held: this.#workers.findHeldOfJob(row.seq) }
  }
}
