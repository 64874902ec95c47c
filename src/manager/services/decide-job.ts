import { QueueError } from '../../domain/errors.ts'
import type { DecideOutcome } from '../../domain/ports/job-store.ts'
import type { DecideAnswer } from '../../domain/wire/control.ts'
import type { OperationCall } from '../../domain/wire/operations.ts'
import { jobView } from './job-view.ts'
import type { ServiceContext } from './service-context.ts'

/**
 * Approves or rejects a job that is held for review after its test units. Nothing else ends the hold.
 * @throws QueueError job_not_found, invalid_transition when it waits for no decision
 */
export async function decideJob(context: ServiceContext, request: OperationCall<'decide_job'>): Promise<DecideAnswer> {
  const { store, commits } = context
  const outcome = await commits.run(() => recordDecision(context, request.id, request.decision))
  if (outcome.kind === 'not_found') throw new QueueError('job_not_found', `no job has the id ${request.id}`)
  const job = jobView(context, store.readJob(request.id) ?? outcome.job, 'concise')
  if (outcome.kind === 'not_held') {
    throw new QueueError('invalid_transition', `job ${job.id} waits for no decision: ${job.why}`, {
      remedy: 'Look at it with job_status.',
    })
  }
  return {
    job,
    next:
      request.decision === 'approve'
        ? `The rest runs. wait_for_jobs {"ids":["${job.id}"]} tells when it ends.`
        : `It was cancelled; what its test units did stays. rerun_job {"id":"${job.id}"} starts it again.`,
  }
}

/** Writes a decision down, in the name of whom this manager belongs to; to be run in a commit. */
export function recordDecision(
  { store, facts, clock }: ServiceContext,
  jobId: string,
  decision: 'approve' | 'reject',
): DecideOutcome {
  return store.decideJob(jobId, decision === 'approve' ? 'approved' : 'rejected', facts.user, clock.now())
}
