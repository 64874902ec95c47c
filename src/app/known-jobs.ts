import type { JobLine } from '../domain/wire/shared.ts'
import { type Filter, filters, isFinal, isShown } from './job-groups.ts'

/** One page of list_jobs. */
export interface JobPage {
  readonly jobs: readonly JobLine[]
  readonly has_more: boolean
  readonly next_cursor: string | null
}

/** How far back the finished jobs of a filter were read: to the beginning, or to a time. */
export interface Reach {
  /** ISO 8601; null: everything is known. */
  readonly since: string | null
  /** Of the next page of finished jobs; null: the first one. */
  readonly cursor: string | null
}

/** What was seen of the queue so far. Finished jobs stay as they are; unfinished ones are looked at again and again. */
export interface KnownJobs {
  readonly byId: ReadonlyMap<string, JobLine>
  readonly reach: Readonly<Partial<Record<Filter, Reach>>>
  /** More unfinished jobs than were asked for. */
  readonly moreUnfinished: boolean
}

export const nothingKnown: KnownJobs = { byId: new Map(), reach: {}, moreUnfinished: false }

function reachOf(page: JobPage): Reach {
  return page.has_more ? { since: page.jobs.at(-1)?.created_at ?? null, cursor: page.next_cursor } : wholeReach
}

const wholeReach: Reach = { since: null, cursor: null }

/** @returns what is known after a look at the newest jobs and at the unfinished ones. */
export function withLook(
  known: KnownJobs,
  newest: JobPage,
  unfinished: readonly JobLine[],
  moreUnfinished: boolean,
): KnownJobs {
  // Nothing in common with the look before: what lies between was never seen, so the old end of the list is not its end.
  const isGap = newest.has_more && known.byId.size > 0 && !newest.jobs.some(({ id }) => known.byId.has(id))
  const base = isGap ? nothingKnown : known
  const first = newest.jobs.at(-1)?.created_at
  const seen = new Set(newest.jobs.map(({ id }) => id))
  const byId = new Map<string, JobLine>()
  for (const job of base.byId.values()) {
    const isInRange = !newest.has_more || (first !== undefined && job.created_at > first)
    // Within the newest page and not on it: deleted.
    if (seen.has(job.id) || !isInRange || !isFinal(job.state)) byId.set(job.id, job)
  }
  for (const job of [...unfinished, ...newest.jobs]) byId.set(job.id, job)
  return { byId, reach: { ...base.reach, all: base.reach.all ?? { ...reachOf(newest), cursor: null } }, moreUnfinished }
}

/** @returns jobs that were unfinished and are on neither list now: they ended, or were deleted. */
export function vanished(known: KnownJobs, listed: readonly JobLine[]): readonly string[] {
  const seen = new Set(listed.map(({ id }) => id))
  return [...known.byId.values()].filter((job) => !isFinal(job.state) && !seen.has(job.id)).map(({ id }) => id)
}

/** @returns what is known when those jobs turned out to be so, or not to be there. */
export function withFates(known: KnownJobs, found: readonly JobLine[], missing: readonly string[]): KnownJobs {
  const byId = new Map(known.byId)
  for (const id of missing) byId.delete(id)
  for (const job of found) byId.set(job.id, job)
  return { ...known, byId }
}

/** @returns what is known with a further page of finished jobs of a filter. */
export function withOlder(known: KnownJobs, filter: Filter, page: JobPage): KnownJobs {
  const byId = new Map(known.byId)
  for (const job of page.jobs) if (!byId.has(job.id)) byId.set(job.id, job)
  return { ...known, byId, reach: { ...known.reach, [filter]: reachOf(page) } }
}

/** Filters that reach into the past; the others show only what goes on, which is known whole but for its bound. */
const pastFilters: ReadonlySet<Filter> = new Set(['all', 'failed', 'finished'])

/** @returns the time behind which finished jobs of a filter were not read; null: all were, or nothing is known yet. */
function knownSince({ reach }: KnownJobs, filter: Filter): string | null {
  const ends = [reach.all, reach[filter]].flatMap((one) => (one === undefined ? [] : [one.since]))
  return ends.includes(null) ? null : (ends.sort()[0] ?? null)
}

/** @returns the jobs of a filter, newest first; of the past as far back as it was read without a gap. */
export function shownJobs(known: KnownJobs, filter: Filter): readonly JobLine[] {
  const since = knownSince(known, filter)
  return [...known.byId.values()]
    .filter((job) => isShown(job.state, filter))
    .filter((job) => since === null || !isFinal(job.state) || job.created_at >= since)
    .sort((one, other) => compare(other.created_at, one.created_at) || compare(other.id, one.id))
}

function compare(one: string, other: string): number {
  if (one === other) return 0
  return one < other ? -1 : 1
}

/** @returns true when list_jobs has older jobs of this filter. */
export function hasOlder(known: KnownJobs, filter: Filter): boolean {
  return pastFilters.has(filter) && knownSince(known, filter) !== null
}

/** @returns for each filter how many jobs it shows: "7", or "7+" when there are more than were read. */
export function filterCounts(known: KnownJobs): Readonly<Record<Filter, string>> {
  const counted = filters.map((filter) => {
    const goesOn = filter !== 'failed' && filter !== 'finished'
    const isMore = hasOlder(known, filter) || (goesOn && known.moreUnfinished)
    return [filter, `${shownJobs(known, filter).length}${isMore ? '+' : ''}`]
  })
  return Object.fromEntries(counted) as Record<Filter, string>
}
