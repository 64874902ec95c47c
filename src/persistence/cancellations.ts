import type { Statement } from 'better-sqlite3'
import { QueueError } from '../domain/errors.ts'
import type { CancelOutcome } from '../domain/ports/job-store.ts'
import { type CancelReason, isFinalJobState } from '../domain/states.ts'
import type { EventStore } from './event-store.ts'
import type { JobReader } from './job-reader.ts'
import { type JobRow, toJob } from './job-row.ts'
import type { Settlement } from './settlement.ts'
import type { Binds, Prepare } from './statement-loader.ts'
import type { Workers } from './workers.ts'

/** Asking for a cancel: the flag, the available units, and the end when nothing runs. */
export class Cancellations {
  readonly #events: EventStore
  readonly #jobs: JobReader
  readonly #settlement: Settlement
  readonly #workers: Workers
  readonly #request: Statement<[Binds], { seq: number }>
  readonly #cancelAvailable: Statement<[Binds]>

  constructor(prepare: Prepare, events: EventStore, jobs: JobReader, settlement: Settlement, workers: Workers) {
    this.#events = events
    this.#jobs = jobs
    this.#settlement = settlement
    this.#workers = workers
    this.#request = prepare<{ seq: number }>('request_cancel')
    this.#cancelAvailable = prepare('cancel_available_units')
  }

  request(jobId: string, reason: CancelReason, now: number): CancelOutcome {
    const asked = this.#request.get({ job_id: jobId, reason, now })
    if (asked === undefined) return this.#answerUnchanged(jobId)
    const stopped = this.#cancelAvailable.run({ job_seq: asked.seq, now }).changes
    this.#events.append('job.cancel_requested', jobId, null, { reason, units_cancelled: stopped }, now)
    const row = this.#jobs.readRow(asked.seq)
    const settled = this.#settlement.settle(row, now)
    if (settled !== null) return { kind: 'cancelled', job: toJob(settled) }
    return this.#cancelling(row)
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
