import type { ListAnswer } from '../../domain/wire/jobs.ts'
import type { OperationCall } from '../../domain/wire/operations.ts'
import { decodeCursor, encodeCursor, storeFilter } from './job-filter.ts'
import { jobLine } from './job-view.ts'
import type { ServiceContext } from './service-context.ts'

/**
 * One page of jobs, newest first.
 * @throws QueueError invalid_input for a cursor that is not of this filter
 */
export function listJobs(context: ServiceContext, request: OperationCall<'list_jobs'>): ListAnswer {
  const { limit, cursor, ...input } = request
  const filter = storeFilter(input)
  const found = context.store.listJobs(filter, {
    limit: limit + 1,
    ...(cursor === undefined ? {} : { beforeSeq: decodeCursor(cursor, filter) }),
  })
  const page = found.slice(0, limit)
  const last = page.at(-1)
  const hasMore = found.length > limit && last !== undefined
  return {
    jobs: page.map((job) => jobLine(context, job)),
    has_more: hasMore,
    next_cursor: hasMore ? encodeCursor(last.seq, filter) : null,
    next: hasMore
      ? 'The next page: the same call with cursor set to next_cursor.'
      : page.length === 0
        ? 'Nothing matches. Loosen the filter, or submit_job.'
        : 'job_status {"ids":["…"]} shows one in detail.',
  }
}
