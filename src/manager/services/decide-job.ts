import { QueueError } from '../../domain/errors.ts'
import type { DecideAnswer } from '../../domain/wire/control.ts'
import type { OperationCall } from '../../domain/wire/operations.ts'
import { jobView } from './job-view.ts'
import type { ServiceContext } from './service-context.ts'

/**
 * Approves or rejects a job that is held for review after its test units. Nothing else ends the hold.
 * @throws QueueError job_not_found, invalid_transition when it waits for no decision
 */
export async function decideJob(context: ServiceContext, request: OperationCall<'decide_job'>): Promise<DecideAnswer> {
  const { store, commits, clock, facts } = context
  const decision = request.decision === 'approve' ? 'approved' : 'rejected'
  const outcome = await commits.run(() => store.decideJob(request.id, decision, facts.user, clock.now()))
  if (outcome.kind === 'not_found') throw new QueueError('job_not_found', `no job has the id ${request.id}`)
  const job = jobView(context, store.readJob(request.id) ?? outcome.job, 'concise')
  if (outcome.kind === 'not_held') {
    throw new QueueError('invalid_transition', `job ${job.id} waits for no decision: ${job.state}, ${job.why}`, {
      remedy: 'Look at it with job_status.',
    })
  }
  return {
    job,
    next:
      decision === 'approved'
        ? `The rest runs. wait_for_jobs {"ids":["${job.id}"]} tells when it ends.`
        : `It was cancelled; what its test units did stays. rerun_job {"id":"${job.id}"} starts it again.`,
  }
}
