import { QueueError } from '../domain/errors.ts'
import type { JobFilterInput } from '../domain/wire/jobs.ts'
import { type FilterOptions, filterOf } from './job-filter.ts'
import { typedJobIds } from './job-ids.ts'
import type { Session } from './session.ts'

/** How somebody named the jobs that are meant. */
export type ChosenJobs =
  | { readonly by: 'ids'; readonly ids: readonly string[] }
  | { readonly by: 'filter'; readonly filter: JobFilterInput }

interface Given extends FilterOptions {
  readonly all?: boolean
}

/**
 * @param everything filter that --all stands for
 * @returns the jobs meant by ids, by filter options or by --all; null when none of them was given
 * @throws QueueError invalid_input when they were mixed
 */
export async function chosenJobs(
  session: Session,
  options: Given,
  typed: readonly string[],
  everything: JobFilterInput,
): Promise<ChosenJobs | null> {
  const filter = filterOf(options, session.now())
  const filtered = options.all === true || Object.keys(filter).length > 0
  if (filtered && typed.length > 0) {
    throw new QueueError('invalid_input', 'ids and a filter were given together', { remedy: nameJobs })
  }
  if (typed.length > 0) return { by: 'ids', ids: await typedJobIds(session, typed) }
  if (!filtered) return null
  return { by: 'filter', filter: Object.keys(filter).length > 0 ? filter : everything }
}

/** What to do when no job was named. */
export const nameJobs = 'Give ids, or a filter such as --label batch=7, or --all.'

/** The manager takes so many ids a call. */
const mostIds = 50

interface Paged<Item> {
  readonly jobs: readonly Item[]
  readonly has_more: boolean
}

/**
 * Repeats a call until every job that is meant was told about: at most 50 ids or 100 matches go into one.
 * @returns the last answer with the jobs of all
 */
export async function forEveryJob<Item extends { readonly id: string }, Answer extends Paged<Item>>(
  chosen: ChosenJobs,
  call: (some: { ids: string[] } | { filter: JobFilterInput }) => Promise<Answer>,
): Promise<Answer> {
  const seen = new Map<string, Item>()
  if (chosen.by === 'ids') {
    for (let start = 0; ; start += mostIds) {
      const answer = await call({ ids: chosen.ids.slice(start, start + mostIds) })
      for (const job of answer.jobs) seen.set(job.id, job)
      if (start + mostIds >= chosen.ids.length) return { ...answer, jobs: [...seen.values()] }
    }
  }
  for (;;) {
    const before = seen.size
    const answer = await call({ filter: chosen.filter })
    for (const job of answer.jobs) seen.set(job.id, job)
    // Without a new one the call does not get any further.
    if (!answer.has_more || seen.size === before) return { ...answer, jobs: [...seen.values()] }
  }
}
