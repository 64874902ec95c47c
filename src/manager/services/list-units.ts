import { createHash } from 'node:crypto'
import { z } from 'zod'
import { QueueError } from '../../domain/errors.ts'
import type { Job, Unit } from '../../domain/job.ts'
import type { UnitFilter } from '../../domain/ports/job-store.ts'
import { isFinalJobState } from '../../domain/states.ts'
import type { OperationCall } from '../../domain/wire/operations.ts'
import type { ListUnitsAnswer, UnitView } from '../../domain/wire/units.ts'
import { failureGroups } from './failure-groups.ts'
import type { ServiceContext } from './service-context.ts'
import { unitView } from './unit-view.ts'

/** The units of an answer; with groups and hints it stays below 40 KB. */
const mostUnitsLength = 32_000

/**
 * One page of a job's units by position, and on the first page what its failures have in common.
 * @throws QueueError job_not_found, invalid_input for a cursor that is not of this call
 */
export async function listUnits(
  context: ServiceContext,
  request: OperationCall<'list_units'>,
): Promise<ListUnitsAnswer> {
  const { store } = context
  const job = store.readJob(request.id)
  if (job === null) throw new QueueError('job_not_found', `no job has the id ${request.id}`)
  const filter: UnitFilter = { states: request.states, keys: request.keys }
  const after = request.cursor === undefined ? -1 : decodeCursor(request.cursor, job.id, filter)
  const found = store.readUnits(job.id, { afterPosition: after, limit: request.limit + 1 }, filter)
  const page = fitting(context, found.slice(0, request.limit), request.detail)
  const last = page.at(-1)
  const hasMore = last !== undefined && page.length < found.length
  const groups = request.cursor === undefined && job.counts.failed > 0 ? await failureGroups(store, job) : []
  const nextCursor = hasMore ? encodeCursor(last.unit, job.id, filter) : null
  return {
    id: job.id,
    units: page,
    counts: job.counts,
    failure_groups: groups,
    has_more: hasMore,
    next_cursor: nextCursor,
    next: nextStep(job, groups, page, nextCursor === null ? null : { ...request, cursor: nextCursor }),
  }
}

/** @returns the views of the first units, as many as fit into an answer, at least one */
function fitting(context: ServiceContext, units: readonly Unit[], detail: 'concise' | 'full'): UnitView[] {
  const views: UnitView[] = []
  let length = 0
  for (const unit of units) {
    const view = unitView(context, unit, detail)
    length += Buffer.byteLength(JSON.stringify(view))
    if (length > mostUnitsLength && views.length > 0) break
    views.push(view)
  }
  return views
}

function nextStep(
  job: Job,
  groups: ListUnitsAnswer['failure_groups'],
  page: readonly UnitView[],
  nextPage: OperationCall<'list_units'> | null,
): string {
  const sentences: string[] = []
  const failed = groups[0]?.units[0] ?? page.find((unit) => unit.state === 'failed')?.unit
  if (failed !== undefined) {
    sentences.push(`job_logs {"id":"${job.id}","unit":${failed}} shows what one printed.`)
    if (isFinalJobState(job.state)) {
      sentences.push(`rerun_job {"id":"${job.id}","only":"failed"} runs the failed ones again.`)
    }
  }
  if (nextPage !== null) sentences.push(`The next page: list_units ${JSON.stringify(nextPage)}.`)
  if (sentences.length > 0) return sentences.join(' ')
  if (page.length === 0) return `No unit matches. list_units {"id":"${job.id}"} shows all.`
  return isFinalJobState(job.state)
    ? `job_result {"id":"${job.id}"} has the results.`
    : job.heldAt !== null
      ? `Show the person job_status {"ids":["${job.id}"]} (its review), then decide_job {"id":"${job.id}","decision":"approve"} or "reject".`
      : `wait_for_jobs {"ids":["${job.id}"]} tells when all have ended.`
}

const cursorContent = z.object({ v: z.literal(1), after: z.int(), of: z.string() })

function encodeCursor(after: number, jobId: string, filter: UnitFilter): string {
  return Buffer.from(JSON.stringify({ v: 1, after, of: hashOf(jobId, filter) })).toString('base64url')
}

function decodeCursor(cursor: string, jobId: string, filter: UnitFilter): number {
  const decoded = parseCursor(cursor)
  if (decoded === null) {
    throw new QueueError('invalid_input', `cursor "${cursor.slice(0, 60)}" is not one that list_units answered`, {
      remedy: 'Use next_cursor of the answer before, or leave cursor out to start again.',
    })
  }
  if (decoded.of !== hashOf(jobId, filter)) {
    throw new QueueError('invalid_input', 'cursor belongs to another job or another filter', {
      remedy: 'Repeat id, states and keys of the answer that gave the cursor, or leave cursor out.',
    })
  }
  return decoded.after
}

function parseCursor(cursor: string): z.infer<typeof cursorContent> | null {
  try {
    return cursorContent.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')))
  } catch {
    return null
  }
}

function hashOf(jobId: string, { states, keys }: UnitFilter): string {
  const text = JSON.stringify([jobId, states ?? null, keys ?? null])
  return createHash('sha256').update(text).digest('base64url').slice(0, 12)
}
