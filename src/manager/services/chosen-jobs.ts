import { QueueError } from '../../domain/errors.ts'
import type { JobFilterInput } from '../../domain/wire/jobs.ts'
import { storeFilter } from './job-filter.ts'
import type { ServiceContext } from './service-context.ts'

/** Jobs that one call may change by a filter. */
export const mostByFilter = 100

export interface Choice {
  readonly ids?: readonly string[] | undefined
  readonly filter?: JobFilterInput | undefined
}

/**
 * @param verb such as "cancel", for the words of an error
 * @throws QueueError invalid_input unless exactly one of ids and a filter that says something is given
 */
export function checkChoice({ ids, filter }: Choice, verb: string): void {
  if ((ids === undefined) === (filter === undefined)) {
    throw new QueueError('invalid_input', 'give either ids or filter', {
      remedy: `Name jobs by ids, or by a filter such as {"labels":{"batch":"7"}}; ${everything(verb)}.`,
    })
  }
  if (filter !== undefined && Object.keys(filter).length === 0) {
    throw new QueueError('invalid_input', `filter is empty, which would ${verb} everything`, {
      remedy: `Name what to ${verb}; ${everything(verb)}.`,
    })
  }
}

function everything(verb: string): string {
  return `to mean every unfinished job call ${verb}_job {"filter":{"states":["unfinished"]}}`
}

/** @returns the ids, without repetition, of at most 100 unfinished jobs by filter, or as given; and whether more match. */
export function chosenIds(
  { store }: ServiceContext,
  { ids, filter }: Choice,
): { readonly ids: readonly string[]; readonly hasMore: boolean } {
  if (ids !== undefined) return { ids: [...new Set(ids)], hasMore: false }
  const found = store
    .listJobs(storeFilter({ ...filter, states: filter?.states ?? ['unfinished'] }), { limit: mostByFilter + 1 })
    .filter((job) => job.finishedAt === null)
  return { ids: found.slice(0, mostByFilter).map((job) => job.id), hasMore: found.length > mostByFilter }
}
