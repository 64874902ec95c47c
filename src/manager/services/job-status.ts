import { QueueError } from '../../domain/errors.ts'
import { formatInstant } from '../../domain/format-instant.ts'
import { isFinalJobState } from '../../domain/states.ts'
import type { StatusAnswer } from '../../domain/wire/jobs.ts'
import type { OperationCall } from '../../domain/wire/operations.ts'
import type { JobView } from '../../domain/wire/shared.ts'
import { jobView } from './job-view.ts'
import type { ServiceContext } from './service-context.ts'

/**
 * State of one or several jobs, as they are now.
 * @throws QueueError job_not_found when none of the ids is known
 */
export function jobStatus(context: ServiceContext, request: OperationCall<'job_status'>): StatusAnswer {
  const { jobs, missing } = viewsOf(context, request.ids, request.detail)
  return { jobs, missing, next: nextStep(jobs, context.clock.now()) }
}

/** @throws QueueError job_not_found when none of the ids is known */
export function viewsOf(
  context: ServiceContext,
  ids: readonly string[],
  detail: 'concise' | 'full',
): { readonly jobs: JobView[]; readonly missing: string[] } {
  const found = new Map(context.store.readJobs([...new Set(ids)]).map((job) => [job.id, job]))
  const missing = ids.filter((id) => !found.has(id))
  if (found.size === 0) {
    throw new QueueError('job_not_found', `no job has the id ${missing.slice(0, 5).join(', ')}`)
  }
  return { jobs: ids.flatMap((id) => found.get(id) ?? []).map((job) => jobView(context, job, detail)), missing }
}

/** A start farther away than this is not worth a wait, in ms. */
const worthAWaitMs = 60_000

/**
 * @param now wall time in ms
 * @returns what to do when everything unfinished starts much later; null when waiting makes sense
 */
export function doNotWait(jobs: readonly JobView[], now: number): string | null {
  const unfinished = jobs.filter((job) => !job.final)
  const starts = unfinished.map((job) =>
    job.state === 'scheduled' && job.run_at !== null ? Date.parse(job.run_at) : Number.NEGATIVE_INFINITY,
  )
  const first = Math.min(...starts)
  if (unfinished.length === 0 || first - now < worthAWaitMs) return null
  const subject = unfinished.length === 1 ? 'It starts' : 'The first starts'
  const object = unfinished.length === 1 ? 'it' : 'them'
  return `${subject} at ${formatInstant(first)}; do not wait for ${object}. whats_new {} finds ${object} in any later chat.`
}

/**
 * One sentence with the call that makes sense next.
 * @param now wall time in ms
 */
export function nextStep(jobs: readonly JobView[], now: number): string {
  const unfinished = jobs.filter((job) => !job.final)
  const later = doNotWait(jobs, now)
  if (later !== null) return later
  const held = unfinished.find((job) => job.state === 'awaiting_approval')
  if (held !== undefined) {
    return `Job ${held.id} waits for the person: show them its review, then decide_job {"id":"${held.id}","decision":"approve"} or "reject".`
  }
  if (unfinished.length > 0)
    return `wait_for_jobs ${JSON.stringify({ ids: unfinished.map((job) => job.id) })} answers when they end.`
  const failed = jobs.find((job) => job.stored_state === 'failed')
  if (failed !== undefined)
    return `job_logs {"id":"${failed.id}"} shows what it printed; rerun_job {"id":"${failed.id}"} runs it again.`
  const partly = jobs.find((job) => job.state === 'completed_with_failures')
  if (partly !== undefined)
    return `list_units {"id":"${partly.id}","states":["failed"]} shows what failed and why; rerun_job {"id":"${partly.id}","only":"failed"} runs just that again.`
  const completed = jobs.find((job) => isFinalJobState(job.stored_state))
  return completed === undefined
    ? 'list_jobs {"limit":20} shows the newest jobs.'
    : `job_result {"id":"${completed.id}"} has the whole result.`
}
