import type { Statement } from 'better-sqlite3'
import type { Job } from '../domain/job.ts'
import type { JobFilter } from '../domain/ports/job-store.ts'
import { type JobState, jobStates } from '../domain/states.ts'
import { type JobRow, toJob } from './job-row.ts'
import type { Binds, Prepare } from './statement-loader.ts'
import { fewRows, TextSearch } from './text-search.ts'

/** An index with fewer entries than this for a filter is walked as a whole rather than hoped through. */
const rare = 5_000

interface Page {
  readonly beforeSeq?: number
  readonly limit: number
}

/** One way to the jobs of a filter: its statement, and one that counts what it would walk. */
interface Walk {
  readonly list: Statement<[Binds], JobRow>
  readonly count: Statement<[Binds], { jobs: number }>
}

/** A walk for one value. */
interface Way {
  readonly walk: Walk
  readonly binds: Binds
}

/**
 * Filtered pages of jobs. Each walks the index that narrows most and filters the rest row by row: the work is bounded by the
 * smallest set among the filters when that has under 5,000 jobs. Several common filters that hardly ever meet (a common type
 * that never failed) are bounded by a larger set only, and a long time by its jobs: such calls belong on the reader.
 */
export class JobLists {
  readonly #all: Statement<[Binds], JobRow>
  readonly #byState: Walk
  readonly #byType: Walk
  readonly #byQueue: Walk
  readonly #byLabel: Walk
  readonly #byTime: Walk
  readonly #lastOfTime: Statement<[Binds], { seq: number | null }>
  readonly #search: TextSearch
  readonly #finished: Statement<[Binds], JobRow>

  constructor(prepare: Prepare) {
    const walk = (by: string): Walk => ({
      list: prepare<JobRow>(`list_jobs_by_${by}`),
      count: prepare<{ jobs: number }>(`count_some_by_${by}`),
    })
    this.#all = prepare<JobRow>('list_jobs')
    this.#byState = walk('state')
    this.#byType = walk('type')
    this.#byQueue = walk('queue')
    this.#byLabel = walk('label')
    this.#byTime = walk('time')
    this.#lastOfTime = prepare<{ seq: number | null }>('last_seq_by_time')
    this.#search = new TextSearch(prepare)
    this.#finished = prepare<JobRow>('read_finished_jobs')
  }

  list(filter: JobFilter, page: Page): Job[] {
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
  #merge(filter: JobFilter, states: readonly JobState[], page: Page): JobRow[] {
    return states
      .flatMap((state) => this.#walk(filter, state, page))
      .sort((left, right) => right.seq - left.seq)
      .slice(0, page.limit)
  }

  #walk(filter: JobFilter, state: JobState | null, page: Page): JobRow[] {
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
    const ways: Way[] = labels.map(([label_key, label_value]) => ({
      walk: this.#byLabel,
      binds: { label_key, label_value },
    }))
    if (state !== null) ways.push({ walk: this.#byState, binds: { state } })
    if (filter.type !== undefined) ways.push({ walk: this.#byType, binds: { type: filter.type } })
    if (filter.queue !== undefined) ways.push({ walk: this.#byQueue, binds: { queue: filter.queue } })
    const { created_after, created_before } = binds
    const isTimed = created_after !== null || created_before !== null
    const timed = { walk: this.#byTime, binds: { created_after, created_before } }
    const chosen = this.#narrowest(isTimed ? [...ways, timed] : ways, filter.text !== undefined)
    // A long time is no way to walk: it would have to be sorted as a whole.
    const way = chosen === undefined || (chosen.walk === this.#byTime && chosen.jobs >= rare) ? ways[0] : chosen
    if (created_before !== null && way?.walk !== this.#byTime) {
      // Everything newer is passed over; the clock may have been set back, so the order of creation alone does not tell.
      const last = this.#lastOfTime.get(timed.binds)?.seq ?? 0
      binds.before_seq = Math.min(binds.before_seq ?? last + 1, last + 1)
    }
    const list = (bounds: { readonly before_seq: number | null; readonly limit: number }) =>
      way === undefined
        ? this.#all.all({ ...binds, ...bounds })
        : way.walk.list.all({ ...binds, ...way.binds, ...bounds })
    if (filter.text === undefined) return list(binds)
    return this.#search.find(filter.text, binds, list, (chosen?.jobs ?? rare) < fewRows)
  }

  /** @returns the way with the fewest jobs, counted up to `rare`; not counted when there is no choice and none is asked for. */
  #narrowest(ways: readonly Way[], mustCount: boolean): (Way & { readonly jobs: number }) | undefined {
    const [only] = ways
    if (!mustCount && ways.length === 1 && only !== undefined && only.walk !== this.#byTime)
      return { ...only, jobs: rare }
    const counted = ways.map((way) => ({ ...way, jobs: way.walk.count.get({ ...way.binds, limit: rare })?.jobs ?? 0 }))
    return counted.sort((left, right) => left.jobs - right.jobs)[0]
  }
}

function wantedStates(filter: JobFilter): readonly JobState[] | null {
  if (filter.states === undefined) return null
  const wanted = jobStates.filter((state) => filter.states?.includes(state))
  return wanted.length === jobStates.length ? null : wanted
}
