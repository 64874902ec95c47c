import { QueueError } from '../../domain/errors.ts'
import type { Job } from '../../domain/job.ts'
import { isFinalJobState } from '../../domain/states.ts'
import type { DeleteAnswer } from '../../domain/wire/history.ts'
import type { OperationCall } from '../../domain/wire/operations.ts'
import { storeFilter } from './job-filter.ts'
import type { ServiceContext } from './service-context.ts'

const mostJobs = 500
const mostIdsShown = 50
const mostKeptShown = 20
/** No further transaction begins after this long: clients give up at 45 s. */
const longestMs = 20_000

type Kept = DeleteAnswer['kept']

/**
 * Deletes finished jobs with their logs and results, by id or by filter, at most 500 a call; unfinished ones are kept and said.
 * Idempotency keys stay, so a repeated submit still finds that it was made.
 * @throws QueueError invalid_input unless exactly one of ids and a filter that says something is given, job_not_found when none
 *   of the ids is known
 */
export async function deleteJobs(
  context: ServiceContext,
  request: OperationCall<'delete_jobs'>,
): Promise<DeleteAnswer> {
  checkRequest(request)
  const { deletion, reader, clock } = context
  const { found, kept } = request.ids === undefined ? await matching(context, request) : named(context, request.ids)
  const chosen = found.slice(0, mostJobs).map((job) => job.id)
  if (request.dry_run) {
    const bytes = await reader.readJobBytes(chosen)
    const hasMore = found.length > chosen.length
    return answer({ ids: chosen, bytes, kept, hasMore, dryRun: true }, request)
  }
  const deadline = clock.monotonic() + longestMs
  const deleted = await deletion.deleteJobs(chosen, null, () => clock.monotonic() < deadline)
  const hasMore = found.length > chosen.length || deleted.ids.length < chosen.length
  return answer({ ...deleted, kept, hasMore, dryRun: false }, request)
}

const everything =
  'to see how many finished jobs there are call delete_jobs {"filter":{"states":["finished"]},"dry_run":true}'

function checkRequest({ ids, filter }: OperationCall<'delete_jobs'>): void {
  if ((ids === undefined) === (filter === undefined)) {
    throw new QueueError('invalid_input', 'give either ids or filter', {
      remedy: `Name jobs by ids, or by a filter such as {"labels":{"batch":"7"}}; ${everything}.`,
    })
  }
  if (filter !== undefined && Object.values(filter).every((value) => value === undefined)) {
    throw new QueueError('invalid_input', 'filter is empty, which would delete every finished job', {
      remedy: `Name what to delete; ${everything}.`,
    })
  }
}

function named({ store }: ServiceContext, ids: readonly string[]): { found: readonly Job[]; kept: Kept } {
  const wanted = [...new Set(ids)]
  const jobs = new Map(store.readJobs(wanted).map((job) => [job.id, job]))
  if (jobs.size === 0) {
    throw new QueueError('job_not_found', `no job has the id ${wanted.slice(0, 5).join(', ')}`)
  }
  const kept = wanted.flatMap((id) => {
    const job = jobs.get(id)
    if (job === undefined) return [{ id, why: 'no job has this id' }]
    return isFinalJobState(job.state) ? [] : [keptJob(job)]
  })
  return { found: [...jobs.values()].filter((job) => isFinalJobState(job.state)), kept }
}

async function matching(
  { reader }: ServiceContext,
  { filter = {} }: OperationCall<'delete_jobs'>,
): Promise<{ found: readonly Job[]; kept: Kept }> {
  const wanted = storeFilter(filter)
  const isWanted = (state: Job['state']) => wanted.states === undefined || wanted.states.includes(state)
  const list = (states: readonly Job['state'][], limit: number) =>
    reader.listJobs({ ...wanted, states: states.filter(isWanted) }, { limit })
  const found = await list(['completed', 'failed', 'cancelled'], mostJobs + 1)
  const unfinished = await list(['queued', 'running'], mostKeptShown)
  return { found, kept: unfinished.map(keptJob) }
}

function keptJob(job: Job): Kept[number] {
  return { id: job.id, why: `it is ${job.state}; only finished jobs are deleted` }
}

function answer(
  result: {
    readonly ids: readonly string[]
    readonly bytes: number
    readonly kept: Kept
    readonly hasMore: boolean
    readonly dryRun: boolean
  },
  request: OperationCall<'delete_jobs'>,
): DeleteAnswer {
  const { ids, bytes, kept, hasMore, dryRun } = result
  return {
    deleted: ids.length,
    ids: ids.slice(0, mostIdsShown),
    kept,
    freed_bytes: bytes,
    dry_run: dryRun,
    has_more: hasMore,
    next: nextStep(result, request),
  }
}

function nextStep(
  { ids, kept, hasMore, dryRun }: Parameters<typeof answer>[0],
  { filter }: OperationCall<'delete_jobs'>,
): string {
  if (ids.length === 0) {
    return kept.length === 0
      ? 'Nothing was deleted: no finished job matches. list_jobs {"states":["finished"]} shows what there is.'
      : `Nothing was deleted: what matches has not ended; cancel_job {"ids":["${kept[0]?.id ?? ''}"]} ends one.`
  }
  if (dryRun) {
    const atOnce = hasMore ? `; it takes several calls, ${mostJobs} jobs each` : ''
    const same = JSON.stringify(ids.length <= mostIdsShown && !hasMore ? { ids } : { filter })
    return `Nothing was deleted yet. After a yes of the user delete_jobs ${same} deletes them for good${atOnce}.`
  }
  return hasMore
    ? `More match: delete_jobs ${JSON.stringify({ filter })} goes on.`
    : 'Nothing: they are gone for good, with logs and results.'
}
