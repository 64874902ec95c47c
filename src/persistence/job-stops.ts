import type { Statement } from 'better-sqlite3'
import type { CancelReason } from '../domain/states.ts'
import type { ChangeNotes } from './change-notes.ts'
import type { EventStore } from './event-store.ts'
import type { Binds, Prepare } from './statement-loader.ts'

/** Units cancelled with the cancel itself: some tens of ms; further ones follow in slices. */
const firstSlice = 10_000

/** Stops a job: the flag, its available units, its sources, its final step. What runs is left to its holders. */
export class JobStops {
  readonly #events: EventStore
  readonly #notes: ChangeNotes
  readonly #request: Statement<[Binds], { seq: number; final_step_state: string | null }>
  readonly #cancelAvailable: Statement<[Binds]>
  readonly #endSources: Statement<[Binds]>
  readonly #endFinalStep: Statement<[Binds]>

  constructor(prepare: Prepare, events: EventStore, notes: ChangeNotes) {
    this.#events = events
    this.#notes = notes
    this.#request = prepare<{ seq: number; final_step_state: string | null }>('request_cancel')
    this.#cancelAvailable = prepare('cancel_available_units')
    this.#endSources = prepare('end_sources_of_job')
    this.#endFinalStep = prepare('end_final_step')
  }

  /** Cancels up to `limit` units that wait. @returns how many */
  cancelSlice(seq: number, limit: number, now: number): number {
    return this.#cancelAvailable.run({ job_seq: seq, limit, now }).changes
  }

  /** @returns the row of the job, or null when it is unknown, final, or was stopped before. */
  stop(jobId: string, reason: CancelReason, now: number): number | null {
    const asked = this.#request.get({ job_id: jobId, reason, now })
    if (asked === undefined) return null
    const { seq } = asked
    const cancelled = this.cancelSlice(seq, firstSlice, now)
    if (cancelled === firstSlice) this.#notes.add({ kind: 'sweep', jobId })
    this.#endSources.run({ job_seq: seq, now })
    if (asked.final_step_state === 'running') this.#endFinalStep.run({ job_seq: seq })
    this.#events.append('job.cancel_requested', jobId, null, { reason, units_cancelled: cancelled }, now)
    return seq
  }
}
