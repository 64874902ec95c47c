import type { Statement } from 'better-sqlite3'
import type { Job } from '../domain/job.ts'
import type { JobFilter } from '../domain/ports/job-store.ts'
import { type JobState, jobStates } from '../domain/states.ts'
import { type JobRow, toJob } from './job-row.ts'
import { searchQuery } from './search-words.ts'
import type { Binds, Prepare } from './statement-loader.ts'

/** Filtered pages of jobs; each walks the index that narrows most and filters the rest row by row. */
export class JobLists {
  readonly #all: Statement<[Binds], JobRow>
  readonly #byState: Statement<[Binds], JobRow>
  readonly #byType: Statement<[Binds], JobRow>
  readonly #byLabel: Statement<[Binds], JobRow>
  readonly #search: Statement<[Binds], JobRow>
  readonly #finished: Statement<[Binds], JobRow>

  constructor(prepare: Prepare) {
    this.#all = prepare<JobRow>('list_jobs')
    this.#byState = prepare<JobRow>('list_jobs_by_state')
    this.#byType = prepare<JobRow>('list_jobs_by_type')
    this.#byLabel = prepare<JobRow>('list_jobs_by_label')
    this.#search = prepare<JobRow>('search_jobs')
    this.#finished = prepare<JobRow>('read_finished_jobs')
  }

  list(filter: JobFilter, page: { beforeSeq?: number; limit: number }): Job[] {
    const states = wantedStates(filter)
    const rows = states === null ? this.#walk(filter, null, page) : this.#merge(filter, states, page)
    return rows.map((row) => toJob(row))
  }

  readFinished(afterEvent: number, limit: number): { job: Job; eventId: number }[] {
    return this.#finished
      .all({ after_event: afterEvent, limit })
      .map((row) => ({ job: toJob(row), eventId: row.settled_event ?? 0 }))
  }

  /** One walk for each state: a page of a rare state never scans the common ones. */
  #merge(filter: JobFilter, states: readonly JobState[], page: { beforeSeq?: number; limit: number }): JobRow[] {
    return states
      .flatMap((state) => this.#walk(filter, state, page))
      .sort((left, right) => right.seq - left.seq)
      .slice(0, page.limit)
  }

  #walk(filter: JobFilter, state: JobState | null, page: { beforeSeq?: number; limit: number }): JobRow[] {
    const labels = Object.entries(filter.labels ?? {})
    const binds = {
      state,
      type: filter.type ?? null,
      queue: filter.queue ?? null,
      labels: labels.length === 0 ? null : JSON.stringify(labels),
      created_after: filter.createdAfter ?? null,
      created_before: filter.createdBefore ?? null,
      before_seq: page.beforeSeq ?? null,
      limit: page.limit,
    }
    if (filter.text !== undefined) {
      const match = searchQuery(filter.text)
      return match === null ? [] : this.#search.all({ ...binds, match })
    }
    const [first] = labels
    if (first !== undefined) return this.#byLabel.all({ ...binds, label_key: first[0], label_value: first[1] })
    if (state !== null) return this.#byState.all(binds)
    return filter.type === undefined ? this.#all.all(binds) : this.#byType.all(binds)
  }
}

function wantedStates(filter: JobFilter): readonly JobState[] | null {
  if (filter.states === undefined) return null
  const wanted = jobStates.filter((state) => filter.states?.includes(state))
  return wanted.length === jobStates.length ? null : wanted
}
