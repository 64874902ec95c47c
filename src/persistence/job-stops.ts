import type { Statement } from 'better-sqlite3'
import type { CancelReason } from '../domain/states.ts'
import type { EventStore } from './event-store.ts'
import type { Binds, Prepare } from './statement-loader.ts'

/** Stops a job: the flag, its available units, its sources, its final step. What runs is left to its holders. */
export class JobStops {
  readonly #events: EventStore
  readonly #request: Statement<[Binds], { seq: number; final_step_state: string | null }>
  readonly #cancelAvailable: Statement<[Binds]>
  readonly #endSources: Statement<[Binds]>
  readonly #endFinalStep: Statement<[Binds]>

  constructor(prepare: Prepare, events: EventStore) {
    this.#events = events
    this.#request = prepare<{ seq: number; final_step_state: string | null }>('request_cancel')
    this.#cancelAvailable = prepare('cancel_available_units')
    this.#endSources = prepare('end_sources_of_job')
    this.#endFinalStep = prepare('end_final_step')
  }

  /** @returns the row of the job, or null when it is unknown, final, or was stopped before. */
  stop(jobId: string, reason: CancelReason, now: number): number | null {
    const asked = this.#request.get({ job_id: jobId, reason, now })
    if (asked === undefined) return null
    const { seq } = asked
    const cancelled = this.#cancelAvailable.run({ job_seq: seq, now }).changes
    this.#endSources.run({ job_seq: seq, now })
    if (asked.final_step_state === 'running') this.#endFinalStep.run({ job_seq: seq })
    this.#events.append('job.cancel_requested', jobId, null, { reason, units_cancelled: cancelled }, now)
    return seq
  }
}
