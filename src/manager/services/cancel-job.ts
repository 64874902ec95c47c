import { QueueError } from '../../domain/errors.ts'
import { formatDuration } from '../../domain/format-duration.ts'
import type { CancelAnswer } from '../../domain/wire/jobs.ts'
import type { OperationCall } from '../../domain/wire/operations.ts'
import type { Commit } from '../runtime/commit-queue.ts'
import { checkChoice, chosenIds } from './chosen-jobs.ts'
import type { ServiceContext } from './service-context.ts'

/**
 * Cancels jobs by id or by filter. When it answers, no new effect of them starts; running ones are being stopped.
 * @throws QueueError invalid_input when neither or both of ids and filter are given, job_not_found when none of the ids is known
 */
export async function cancelJobs(context: ServiceContext, request: OperationCall<'cancel_job'>): Promise<CancelAnswer> {
  checkChoice(request, 'cancel')
  const answer = await context.commits.run((commit) => {
    const { ids, hasMore } = chosenIds(context, request)
    return { jobs: requestCancels(context, ids, commit), has_more: hasMore }
  })
  const missing = answer.jobs.filter((job) => job.outcome === 'not_found').map((job) => job.id)
  if (missing.length > 0 && missing.length === answer.jobs.length) {
    throw new QueueError('job_not_found', `no job has the id ${missing.slice(0, 5).join(', ')}`)
  }
  return { ...answer, next: nextStep(answer.jobs) }
}

/** Asks for the cancel of jobs, as a person does; to be run in a commit. What runs of them is stopped after it. */
export function requestCancels(context: ServiceContext, ids: readonly string[], commit: Commit): CancelAnswer['jobs'] {
  const { store, clock, supervisor } = context
  return ids.map((id) => {
    const outcome = store.requestCancel(id, 'user', clock.now())
    if (outcome.kind === 'cancelling') {
      commit.afterCommit(() => {
        for (const held of outcome.held) supervisor.stop(held.fence.unitId, 'cancel')
      })
    }
    const isAtWorker = outcome.kind === 'cancelling' && outcome.held.some(({ executor }) => executor === 'gpu')
    return { id, outcome: outcome.kind, why: explain(context, outcome.kind, id, isAtWorker) }
  })
}

function nextStep(jobs: CancelAnswer['jobs']): string {
  const withOutcome = (outcome: CancelAnswer['jobs'][number]['outcome']) =>
    jobs.filter((job) => job.outcome === outcome).map((job) => job.id)
  const cancelling = withOutcome('cancelling')
  const sentences = [
    ...(cancelling.length === 0
      ? []
      : [`wait_for_jobs ${JSON.stringify({ ids: cancelling.slice(0, 50) })} tells when their processes are gone.`]),
    ...(withOutcome('not_found').length === 0
      ? []
      : ['No job has some of these ids; list_jobs {"limit":20} finds them.']),
  ]
  if (sentences.length > 0) return sentences.join(' ')
  if (jobs.length === 0)
    return 'Nothing changed: no unfinished job matches. list_jobs {"limit":20} shows what there is.'
  if (withOutcome('already_final').length === jobs.length)
    return `Nothing changed: it had ended before. job_status ${JSON.stringify({ ids: withOutcome('already_final').slice(0, 50) })} shows how.`
  return `Nothing: what was cancelled is final; rerun_job {"id":"${withOutcome('cancelled')[0] ?? ''}"} starts it again.`
}

function explain(
  context: ServiceContext,
  kind: CancelAnswer['jobs'][number]['outcome'],
  id: string,
  isAtWorker: boolean,
): string {
  switch (kind) {
    case 'cancelled':
      return context.store.readJob(id)?.startedAt == null
        ? 'cancelled before anything ran'
        : 'cancelled: nothing of it was running; what it did so far stays'
    case 'cancelling': {
      const grace = context.store.readJobPayload(id)?.options.cancelGraceMs ?? 0
      if (isAtWorker) return 'its GPU worker was asked to stop; it confirms, or its lease there ends'
      return `its processes were asked to stop; what lives after ${formatDuration(grace)} is killed`
    }
    case 'already_final':
      return 'it had ended before'
    case 'not_found':
      return 'no job has this id'
  }
}
