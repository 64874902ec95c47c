import type { Statement } from 'better-sqlite3'
import { type ErrorRecord, QueueError } from '../domain/errors.ts'
import type { FinalJobState } from '../domain/states.ts'
import type { EventStore } from './event-store.ts'
import type { JobRow } from './job-row.ts'
import type { SearchIndex } from './search-index.ts'
import type { Binds, Prepare } from './statement-loader.ts'

interface SettlementRow {
  state: FinalJobState
  /** Of the failed unit with the lowest position; JSON. */
  error: string | null
}

/** Finishes a job in the transaction that moved its last unit. */
export class Settlement {
  readonly #events: EventStore
  readonly #search: SearchIndex
  readonly #read: Statement<[Binds], SettlementRow>
  readonly #settle: Statement<[Binds]>

  constructor(prepare: Prepare, events: EventStore, search: SearchIndex) {
    this.#events = events
    this.#search = search
    this.#read = prepare<SettlementRow>('read_settlement')
    this.#settle = prepare('settle_job')
  }

  /** @returns the final row, or null when a unit of the job can still move. */
  settle(job: JobRow, now: number): JobRow | null {
    if (job.count_available > 0 || job.count_running > 0) return null
    const settlement = this.#read.get({ job_seq: job.seq })
    if (settlement === undefined) return null
    const { state } = settlement
    const error = settlement.error ?? errorOfReason(job, state)
    const counts = { completed: job.count_completed, failed: job.count_failed, cancelled: job.count_cancelled }
    const eventId = this.#events.append(`job.${state}`, job.id, null, counts, now)
    const done = this.#settle.run({ job_seq: job.seq, state, error, event_id: eventId, now })
    if (done.changes !== 1) throw new QueueError('internal', `job ${job.id} could not be settled as ${state}`)
    if (error !== null) this.#search.refresh(job.seq)
    return { ...job, state, error, settled_event: eventId, finished_at: now }
  }
}

/** A job that ran out of its total time may have no failed unit; it still says why it failed. */
function errorOfReason(job: JobRow, state: FinalJobState): string | null {
  if (state !== 'failed' || job.cancel_reason !== 'deadline') return null
  const record: ErrorRecord = {
    code: 'attempt_timed_out',
    message: 'The job did not end within its total time.',
    remedy: 'Rerun it with more time.',
  }
  return JSON.stringify(record)
}
