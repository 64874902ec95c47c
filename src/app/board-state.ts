import type { ActionName } from './job-actions.ts'
import { type Filter, isFinal } from './job-groups.ts'
import { hasOlder, type KnownJobs, nothingKnown, shownJobs } from './known-jobs.ts'
import type { QueueSeen, Wish } from './queue-reader.ts'
import type { Locale } from './shown-text.ts'

export type ConnectionState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  /** `since`: when the last look succeeded, ISO 8601; null: never. `retryMs`: until the next try. */
  | { readonly kind: 'lost'; readonly reason: string; readonly retryMs: number; readonly since: string | null }
  /** No host shows this page. */
  | { readonly kind: 'alone'; readonly reason: string }

export interface Notice {
  readonly jobId: string
  readonly text: string
  readonly isGood: boolean
  /** A job that came of it. */
  readonly opens: string | null
}

export interface BoardState {
  readonly connection: ConnectionState
  readonly seen: QueueSeen
  /** False until the first look under the present search has come back. */
  readonly isLoaded: boolean
  readonly filter: Filter
  readonly search: string
  readonly selected: string | null
  readonly busy: { readonly jobId: string; readonly action: ActionName } | null
  /** The second step of an action that cannot be undone. */
  readonly confirming: { readonly jobId: string; readonly action: ActionName } | null
  readonly notice: Notice | null
  readonly isReadingOlder: boolean
  readonly locale: Locale
}

const nothingSeen: QueueSeen = { known: nothingKnown, views: new Map(), log: null }

export const firstState: BoardState = {
  connection: { kind: 'connecting' },
  seen: nothingSeen,
  isLoaded: false,
  filter: 'all',
  search: '',
  selected: null,
  busy: null,
  confirming: null,
  notice: null,
  isReadingOlder: false,
  locale: {},
}

export function wishOf({ filter, search, selected }: BoardState): Wish {
  return { filter, search, selected }
}

/** @returns the state with another search: what was read answers the old one, the chosen job stays. */
export function withSearch(state: BoardState, search: string): BoardState {
  if (search === state.search) return state
  return { ...state, search, isLoaded: false, seen: { ...state.seen, known: nothingKnown } }
}

export function withSelected(state: BoardState, selected: string | null): BoardState {
  if (selected === state.selected) return state
  return { ...state, selected, confirming: null, notice: null, seen: { ...state.seen, log: null } }
}

/** @returns the state after a look that was begun with a wish; what was asked for another search is dropped. */
export function withSeen(state: BoardState, wish: Wish, seen: QueueSeen): BoardState {
  if (wish.search !== state.search) return state
  const log = wish.selected === state.selected ? seen.log : state.seen.log
  const next = { ...state, seen: { ...seen, log }, isLoaded: true }
  const { confirming } = next
  if (confirming === null) return next
  const job = next.seen.views.get(confirming.jobId)
  // What was about to be confirmed is over.
  return job !== undefined && isFinal(job.state) ? { ...next, confirming: null } : next
}

/** @returns the state with a further page, unless it answers another search by now. */
export function withOlderRead(state: BoardState, wish: Wish, known: KnownJobs): BoardState {
  const isStale = wish.search !== state.search || !state.isLoaded
  return { ...state, isReadingOlder: false, seen: isStale ? state.seen : { ...state.seen, known } }
}

/** @returns true when something that is known may still change. */
export function isBusy({ seen }: BoardState): boolean {
  return [...seen.known.byId.values()].some((job) => !isFinal(job.state))
}

/** @returns id of the job that many rows further down (up, when negative) from a row; null in an empty list */
export function neighbour(state: BoardState, from: string | null, step: number): string | null {
  const jobs = shownJobs(state.seen.known, state.filter)
  const at = jobs.findIndex(({ id }) => id === from)
  const to = at === -1 ? (step > 0 ? 0 : jobs.length - 1) : Math.min(jobs.length - 1, Math.max(0, at + step))
  return jobs[to]?.id ?? null
}

/** @returns true when the list of a filter is about the past, of which nothing was read yet. */
export function needsOlder({ seen, filter, isLoaded }: BoardState): boolean {
  return isLoaded && filter !== 'all' && hasOlder(seen.known, filter) && seen.known.reach[filter] === undefined
}

/** @returns why no row is there */
export function emptyText(state: BoardState): string {
  if (!state.isLoaded) return state.connection.kind === 'lost' ? 'Nothing could be read yet.' : 'Loading …'
  if (state.search !== '') return `No job matches "${state.search}".`
  return state.filter === 'all' ? 'No jobs yet. Ask in the chat for something to be done.' : 'No such jobs.'
}
