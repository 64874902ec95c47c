import type { Statement } from 'better-sqlite3'
import type { Statistics } from '../domain/ports/job-store.ts'
import type { JobState } from '../domain/states.ts'
import type { Binds, Prepare } from './statement-loader.ts'

const dayMs = 24 * 3600 * 1000

interface StateCount {
  state: JobState
  jobs: number
}

/** Totals: kept by triggers for all time, counted by index for the last day. */
export class StatisticsReader {
  readonly #byState: Statement<[Binds], Record<JobState, number>>
  readonly #submittedSince: Statement<[Binds], { jobs: number }>
  readonly #finishedSince: Statement<[Binds], StateCount>

  constructor(prepare: Prepare) {
    this.#byState = prepare<Record<JobState, number>>('read_state_counts')
    this.#submittedSince = prepare<{ jobs: number }>('count_submitted_since')
    this.#finishedSince = prepare<StateCount>('count_finished_since')
  }

  read(now: number): Statistics {
    const since = now - dayMs
    const finished = countsOf(this.#finishedSince.all({ since }))
    return {
      jobs: this.#byState.get({}) ?? countsOf([]),
      last24Hours: {
        completed: finished.completed,
        failed: finished.failed,
        cancelled: finished.cancelled,
        submitted: this.#submittedSince.get({ since })?.jobs ?? 0,
      },
    }
  }
}

function countsOf(rows: readonly StateCount[]): Record<JobState, number> {
  const counts = { queued: 0, running: 0, completed: 0, failed: 0, cancelled: 0 }
  for (const row of rows) counts[row.state] = row.jobs
  return counts
}
