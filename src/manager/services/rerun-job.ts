import { cutText } from '../../domain/cut-text.ts'
import { QueueError } from '../../domain/errors.ts'
import { isFinalJobState, priorityName } from '../../domain/states.ts'
import { type RerunRequest, type SubmitAnswer, submitRequest } from '../../domain/wire/submit.ts'
import { commandInput } from '../runtime/command-task.ts'
import { jobTypeNamed } from './job-types.ts'
import type { ServiceContext } from './service-context.ts'
import { storeSubmission } from './submit-job.ts'

const suffix = ' (re-run)'

/**
 * Submits a finished job again as a new job linked by `rerun_of`: same parameters, environment and directory as the first
 * time, but for the overrides.
 * @throws QueueError job_not_found, invalid_transition while it is unfinished, and what submit throws
 */
export async function rerunJob(context: ServiceContext, request: RerunRequest): Promise<SubmitAnswer> {
  context.storage.assertAcceptsJobs()
  const { store } = context
  const job = store.readJob(request.id)
  const payload = store.readJobPayload(request.id)
  const unit = store.readUnits(request.id, { limit: 1 })[0]
  if (job === null || payload === null || unit === undefined)
    throw new QueueError('job_not_found', `no job has the id ${request.id}`)
  if (!isFinalJobState(job.state)) {
    throw new QueueError('invalid_transition', `job ${job.id} is ${job.state}; only a finished job can be run again`, {
      remedy: `Wait for it (wait_for_jobs) or cancel it first (cancel_job {"ids":["${job.id}"]}).`,
    })
  }
  const type = jobTypeNamed(job.type)
  const { params: overriddenParams, ...overrides } = request.overrides ?? {}
  const { options } = payload
  const first = commandInput.parse(store.readUnitPayload(unit.id)?.input)
  const submission = submitRequest.parse({
    type: job.type,
    queue: job.queue,
    labels: job.labels,
    priority: priorityName(job.priority),
    max_attempts: job.maxAttempts,
    backoff: {
      initial_s: options.backoff.initialMs / 1000,
      max_s: options.backoff.maxMs / 1000,
      factor: options.backoff.factor,
    },
    rerun_when_lost: options.rerunWhenLost,
    cancel_grace_s: options.cancelGraceMs / 1000,
    max_output_bytes: options.maxOutputBytes,
    ...(options.unitTimeoutMs === null ? {} : { timeout_s: options.unitTimeoutMs / 1000 }),
    ...(options.idleTimeoutMs === null ? {} : { idle_timeout_s: options.idleTimeoutMs / 1000 }),
    ...overrides,
    params: overriddenParams === undefined ? payload.params : type.mergeParams(payload.params, overriddenParams),
    idempotency_key: request.idempotency_key,
    // The run is to be the same: its environment and directory are those of the first one, not of this client.
    context: { environment: first.environment, cwd: first.cwd, submitted_by: request.context.submitted_by },
  })
  const prepared = type.prepare(submission.params, submission.context)
  const baseName = job.name.endsWith(suffix) ? job.name : cutText(job.name, 200 - suffix.length) + suffix
  return storeSubmission(context, submission, {
    name: submission.name ?? baseName,
    input: prepared.input,
    rerunOf: job.id,
  })
}
