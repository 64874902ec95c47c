import { createHash } from 'node:crypto'
import { QueueError } from '../../domain/errors.ts'
import type { JobOptions, Json, JsonObject } from '../../domain/job.ts'
import type { NewJob } from '../../domain/ports/job-store.ts'
import { defaultBackoff } from '../../domain/retry-policy.ts'
import { priorities } from '../../domain/states.ts'
import type { SubmitAnswer, SubmitRequest } from '../../domain/wire/submit.ts'
import { commandInput } from '../runtime/command-task.ts'
import { doNotWait, nextStep } from './job-status.ts'
import { jobTypeNamed } from './job-types.ts'
import { jobView } from './job-view.ts'
import { missingDirectory } from './missing-directory.ts'
import type { ServiceContext } from './service-context.ts'
import { submitNotes } from './submit-notes.ts'

/** Larger parameters would sit in every status answer; a file and its path serve better. */
const largestParamsBytes = 1024 * 1024

/**
 * Submits one job durably. The answer comes after the commit; a repeat with the same key and content answers the same job.
 * @throws QueueError invalid_input, unknown_job_type, idempotency_conflict, limit_exceeded, storage_full
 */
export async function submitJob(context: ServiceContext, request: SubmitRequest): Promise<SubmitAnswer> {
  context.storage.assertAcceptsJobs()
  const type = jobTypeNamed(request.type)
  const prepared = type.prepare(request.params, request.context)
  return storeSubmission(context, request, {
    name: request.name ?? prepared.name,
    input: prepared.input,
    rerunOf: null,
  })
}

/** What submit and rerun share: options, the idempotency check, the insert, the answer. */
export async function storeSubmission(
  context: ServiceContext,
  request: SubmitRequest,
  derived: { readonly name: string; readonly input: Json; readonly rerunOf: string | null },
): Promise<SubmitAnswer> {
  const { store, commits, clock, dispatcher, createId, faultPoint } = context
  const size = Buffer.byteLength(JSON.stringify(request.params))
  if (size > largestParamsBytes) {
    throw new QueueError('limit_exceeded', `params are ${size} bytes; at most ${largestParamsBytes} are kept`, {
      remedy: 'Write large input to a file and pass its path.',
    })
  }
  const options = jobOptions(context, request)
  const directory = commandInput.safeParse(derived.input).data?.cwd
  const looked = directory === undefined ? null : missingDirectory(directory)
  const outcome = await commits.run((commit) => {
    const now = clock.now()
    // Again, in the transaction: room that was made on a full disk is for results, not for the job that found it full.
    context.storage.assertAcceptsJobs()
    const submitted = store.submitJob(newJob(request, derived, options, createId, now))
    if (submitted.kind === 'created') {
      dispatcher.offer(submitted.job, submitted.job.runAt)
      faultPoint('submit.before_commit')
      commit.afterCommit(() => faultPoint('submit.after_commit'))
    }
    return submitted
  })
  if (outcome.kind === 'conflict' || outcome.kind === 'existing_pruned') {
    const when = new Date(outcome.createdAt).toISOString()
    throw new QueueError(
      'idempotency_conflict',
      outcome.kind === 'conflict'
        ? `idempotency key "${request.idempotency_key}" was used at ${when} for job ${outcome.jobId} with other content`
        : `idempotency key "${request.idempotency_key}" was used at ${when} for job ${outcome.jobId}, which has been deleted since`,
      { details: { job_id: outcome.jobId } },
    )
  }
  // The claim may share the commit, and a repeat may meet the job at any later moment; else it is as it was inserted.
  const isAsInserted = outcome.kind === 'created' && !context.supervisor.runsJob(outcome.job.id)
  const job = isAsInserted ? outcome.job : (store.readJob(outcome.job.id) ?? outcome.job)
  const view = jobView(context, job, 'concise')
  const now = clock.now()
  return {
    id: job.id,
    existing: outcome.kind === 'existing',
    submitted_at: new Date(job.createdAt).toISOString(),
    job: view,
    notes: submitNotes({
      job,
      options,
      params: request.params,
      missingDirectory: job.startedAt === null ? await looked : null,
      now,
    }),
    next: view.final
      ? nextStep([view], now)
      : (doNotWait([view], now) ??
        `It runs without you. wait_for_jobs {"ids":["${job.id}"]} tells when it ends; whats_new finds it in any later chat.`),
  }
}

function newJob(
  request: SubmitRequest,
  derived: { readonly name: string; readonly input: Json; readonly rerunOf: string | null },
  options: JobOptions,
  createId: () => string,
  now: number,
): NewJob {
  return {
    id: createId(),
    type: request.type,
    queue: request.queue ?? 'default',
    name: derived.name,
    labels: request.labels ?? {},
    priority: priorities[request.priority ?? 'normal'],
    params: request.params as JsonObject,
    options,
    // 0 is due on every clock: a job without a start time must not wait when the wall clock is set back.
    runAt: request.run_at === undefined ? 0 : Date.parse(request.run_at),
    concurrency: null,
    maxAttempts: request.max_attempts ?? 1,
    rerunOf: derived.rerunOf,
    submittedBy: request.context.submitted_by,
    idempotencyKey: request.idempotency_key,
    contentHash: contentHash(request, derived.rerunOf),
    units: [{ id: createId(), input: derived.input }],
    now,
  }
}

function jobOptions({ settings }: ServiceContext, request: SubmitRequest): JobOptions {
  const milliseconds = (seconds: number | undefined) =>
    seconds === undefined ? null : Math.max(1, Math.round(seconds * 1000))
  return {
    backoff: {
      initialMs: milliseconds(request.backoff?.initial_s) ?? defaultBackoff.initialMs,
      maxMs: milliseconds(request.backoff?.max_s) ?? defaultBackoff.maxMs,
      factor: request.backoff?.factor ?? defaultBackoff.factor,
    },
    unitTimeoutMs: milliseconds(request.timeout_s),
    idleTimeoutMs: milliseconds(request.idle_timeout_s),
    cancelGraceMs: request.cancel_grace_s === 0 ? 0 : (milliseconds(request.cancel_grace_s) ?? settings.cancel_grace),
    maxOutputBytes: request.max_output_bytes ?? settings.max_output,
    rerunWhenLost: request.rerun_when_lost ?? true,
  }
}

/** Hash of what the caller said. The captured context is left out: the same call from another window is the same call. */
function contentHash(request: SubmitRequest, rerunOf: string | null): string {
  const { context: _context, idempotency_key: _key, ...content } = request
  return createHash('sha256')
    .update(canonicalJson({ ...content, rerun_of: rerunOf }))
    .digest('base64url')
}

/** JSON with sorted keys, so that the order in which a client writes arguments does not matter. */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null'
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .sort(([left], [right]) => (left < right ? -1 : 1))
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`
}
