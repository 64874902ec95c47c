import type { Statement } from 'better-sqlite3'
import type { Statistics } from '../domain/ports/history-store.ts'
import type { FinalJobState, JobState } from '../domain/states.ts'
import type { Binds, Prepare } from './statement-loader.ts'

const dayMs = 24 * 3600 * 1000
const none = { queued: 0, running: 0, completed: 0, failed: 0, cancelled: 0 }

/** Totals: kept by triggers for all time, counted by index for the last day. */
export class StatisticsReader {
  readonly #byState: Statement<[Binds], Record<JobState, number>>
  readonly #submittedSince: Statement<[Binds], { jobs: number }>
  readonly #finishedSince: Statement<[Binds], Record<FinalJobState, number>>

  constructor(prepare: Prepare) {
    this.#byState = prepare<Record<JobState, number>>('read_state_counts')
    this.#submittedSince = prepare<{ jobs: number }>('count_submitted_since')
    this.#finishedSince = prepare<Record<FinalJobState, number>>('count_finished_since')
  }

  read(now: number): Statistics {
    const since = now - dayMs
    const { completed, failed, cancelled } = this.#finishedSince.get({ since }) ?? none
    const submitted = this.#submittedSince.get({ since })?.jobs ?? 0
    return { jobs: this.readStateCounts(), last24Hours: { completed, failed, cancelled, submitted } }
  }

  readStateCounts(): Record<JobState, number> {
    return this.#byState.get({}) ?? none
  }
}
