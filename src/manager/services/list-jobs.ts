import type { JobFilter } from '../../domain/ports/job-store.ts'
import type { ListAnswer } from '../../domain/wire/jobs.ts'
import type { OperationCall } from '../../domain/wire/operations.ts'
import { decodeCursor, encodeCursor, storeFilter } from './job-filter.ts'
import { jobLine } from './job-view.ts'
import type { ServiceContext } from './service-context.ts'

/**
 * One page of jobs, newest first.
 * @throws QueueError invalid_input for a cursor that is not of this filter
 */
export async function listJobs(context: ServiceContext, request: OperationCall<'list_jobs'>): Promise<ListAnswer> {
  const { limit, cursor, ...input } = request
  const filter = storeFilter(input)
  const found = await readerOf(context, filter).listJobs(filter, {
    limit: limit + 1,
    ...(cursor === undefined ? {} : { beforeSeq: decodeCursor(cursor, filter) }),
  })
  const page = found.slice(0, limit)
  const last = page.at(-1)
  const [first] = page
  const hasMore = found.length > limit && last !== undefined
  const nextCursor = hasMore ? encodeCursor(last.seq, filter) : null
  return {
    jobs: page.map((job) => jobLine(context, job)),
    has_more: hasMore,
    next_cursor: nextCursor,
    next:
      nextCursor !== null
        ? `The next page: list_jobs ${JSON.stringify({ ...input, limit, cursor: nextCursor })}.`
        : first === undefined
          ? 'Nothing matches. Loosen the filter: list_jobs {"limit":20} shows the newest of all.'
          : `job_status {"ids":["${first.id}"]} shows one in detail.`,
  }
}

/** What may take long is read beside the manager's own thread: text, a span of time, and filters that may hardly ever meet. */
function readerOf(context: ServiceContext, filter: JobFilter): ServiceContext['reader'] | ServiceContext['store'] {
  const { text, createdAfter, createdBefore, states, type, queue, labels } = filter
  if (text !== undefined || createdAfter !== undefined || createdBefore !== undefined) return context.reader
  const given = [states, type, queue, ...Object.keys(labels ?? {})].filter((each) => each !== undefined)
  return given.length > 1 ? context.reader : context.store
}
