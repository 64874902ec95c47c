import { QueueError } from '../../domain/errors.ts'
import type { Job } from '../../domain/job.ts'
import type { NewDependency, SubmitOutcome } from '../../domain/ports/job-store.ts'
import type { SubmitAnswer, SubmitRequest } from '../../domain/wire/submit.ts'
import { clientContext } from '../runtime/command-task.ts'
import type { Commit } from '../runtime/commit-queue.ts'
import { doNotWait, nextStep } from './job-status.ts'
import { jobView } from './job-view.ts'
import { missingDirectory } from './missing-directory.ts'
import {
  contentHash,
  newJobOf,
  type PreparedSubmission,
  prepareSubmission,
  type RerunOf,
} from './prepare-submission.ts'
import type { ServiceContext } from './service-context.ts'
import { discardSource } from './source-spool.ts'
import { submitNotes } from './submit-notes.ts'

/**
 * Submits one job durably. The answer comes after the commit; a repeat with the same key and content answers the same job.
 * @throws QueueError invalid_input, unknown_job_type, idempotency_conflict, job_not_found, limit_exceeded, storage_full
 */
export async function submitJob(context: ServiceContext, request: SubmitRequest): Promise<SubmitAnswer> {
  return submitOrRerun(context, request, null)
}

/** What submit and rerun share. */
export async function submitOrRerun(
  context: ServiceContext,
  request: SubmitRequest,
  rerun: RerunOf | null,
): Promise<SubmitAnswer> {
  // A repeat answers the job of its key, even when its source has changed or is gone since.
  const known = request.source === undefined ? null : context.store.readIdempotencyKey(request.idempotency_key)
  if (known !== null && known.contentHash === contentHash(request, rerun)) {
    const job = context.store.readJob(known.jobId)
    if (job !== null) return answerOf(context, job, { existing: true, notes: [] })
  }
  context.storage.assertAcceptsJobs()
  const prepared = await prepareSubmission(context, request, rerun)
  const directory = clientContext.safeParse(prepared.context).data?.cwd
  const looked = directory == null || request.type !== 'command' ? null : missingDirectory(directory)
  const queueNotes = unknownQueueNotes(context, request.queue)
  let outcome: SubmitOutcome
  try {
    outcome = await context.commits.run((commit) => storeSubmission(context, prepared, { scheduleId: null }, commit))
  } catch (error) {
    discardSource(context, prepared.source)
    throw error
  }
  if (outcome.kind !== 'created') discardSource(context, prepared.source)
  const { existing, job: stored } = jobOf(outcome, request.idempotency_key)
  // The claim may share the commit, and the end of what needs no processor; a repeat may meet the job at any later moment.
  const isAsInserted =
    !existing && context.jobTypes.executorOf(stored.type) !== 'inline' && !context.supervisor.mayRunJob(stored.id)
  const job = isAsInserted ? stored : (context.store.readJob(stored.id) ?? stored)
  const notes = submitNotes({
    job,
    options: prepared.options,
    params: request.params,
    isHandler: context.jobTypes.executorOf(job.type) === 'thread',
    hasGpuWorkers: context.fleet.isConfigured(),
    missingDirectory: job.startedAt === null ? await looked : null,
    now: context.clock.now(),
  })
  const isPart = rerun?.units != null && job.finalStep !== null
  const partNotes = isPart ? ['Its final step gets the results of these units alone.'] : []
  return answerOf(context, job, { existing, notes: [...queueNotes, ...prepared.notes, ...notes, ...partNotes] })
}

/**
 * Stores a prepared submission; to be run in a commit. The scheduler calls it too.
 * @throws QueueError storage_full
 */
export function storeSubmission(
  context: ServiceContext,
  prepared: PreparedSubmission,
  extras: { readonly scheduleId: string | null; readonly dependencies?: readonly NewDependency[] },
  commit: Commit,
): SubmitOutcome {
  // Again, in the transaction: room that was made on a full disk is for results, not for the job that found it full.
  context.storage.assertAcceptsJobs()
  const submitted = context.store.submitJob(newJobOf(prepared, extras, context.createId, context.clock.now()))
  if (submitted.kind === 'created') {
    context.faultPoint('submit.before_commit')
    commit.afterCommit(() => context.faultPoint('submit.after_commit'))
  }
  return submitted
}

/** @throws QueueError idempotency_conflict, job_not_found */
export function jobOf(outcome: SubmitOutcome, key: string): { readonly existing: boolean; readonly job: Job } {
  switch (outcome.kind) {
    case 'created':
      return { existing: false, job: outcome.job }
    case 'existing':
      return { existing: true, job: outcome.job }
    case 'dependency_not_found':
      throw new QueueError('job_not_found', `depends_on names jobs that do not exist: ${outcome.jobIds.join(', ')}`)
    case 'conflict':
    case 'existing_pruned': {
      const used = `idempotency key "${key}" was used at ${new Date(outcome.createdAt).toISOString()} for job ${outcome.jobId}`
      throw new QueueError(
        'idempotency_conflict',
        outcome.kind === 'conflict' ? `${used} with other content` : `${used}, which has been deleted since`,
        { details: { job_id: outcome.jobId } },
      )
    }
  }
}

/** A queue is made by its first use: one with a typing error would have none of the limits that were meant. */
function unknownQueueNotes({ store }: ServiceContext, name: string | undefined): string[] {
  if (name === undefined) return []
  const queues = store.readQueues()
  const limited = queues.filter(({ concurrency, rate }) => concurrency !== null || rate !== null)
  if (limited.length === 0 || queues.some((queue) => queue.name === name)) return []
  const names = limited.slice(0, 5).map((queue) => `"${queue.name}"`)
  return [
    `Its queue "${name}" is new and has no limits; ${names.join(', ')} ${names.length === 1 ? 'has' : 'have'} some.`,
  ]
}

function answerOf(
  context: ServiceContext,
  job: Job,
  { existing, notes }: { readonly existing: boolean; readonly notes: string[] },
): SubmitAnswer {
  const view = jobView(context, job, 'concise')
  const now = context.clock.now()
  return {
    id: job.id,
    existing,
    submitted_at: new Date(job.createdAt).toISOString(),
    job: view,
    notes,
    next: view.final
      ? nextStep([view], now)
      : (doNotWait([view], now) ??
        `It runs without you. wait_for_jobs {"ids":["${job.id}"]} tells when it ends; whats_new {} finds it in any later chat.`),
  }
}
