import { cutText } from '../../domain/cut-text.ts'
import type { Display } from '../../domain/display-state.ts'
import { harmlessText } from '../../domain/display-text.ts'
import { errorExtract } from '../../domain/error-extract.ts'
import type { ErrorRecord } from '../../domain/errors.ts'
import type { Attempt, Job, Json, JsonObject, KeyLimits, Progress, Unit } from '../../domain/job.ts'
import type { JobStore } from '../../domain/ports/job-store.ts'
import { isFinalJobState, priorityName } from '../../domain/states.ts'
import type { AttemptView, ErrorView, JobLine, JobView, ProgressView } from '../../domain/wire/shared.ts'
import { type Estimate, estimateFromEarlier } from '../runtime/estimator.ts'
import { boundedJson } from './bounded-json.ts'
import { gpuView, modesText } from './gpu-view.ts'
import { jobChanges } from './job-changes.ts'
import { type JobFacts, jobFacts } from './job-facts.ts'
import { jobReview } from './job-review.ts'
import type { ServiceContext } from './service-context.ts'
import { shownResult } from './shown-result.ts'

const resultPreviewBytes = 2_000
const unitsInHistory = 20
const rerunsShown = 10
/** Characters of a reason on one line; the whole one stands in job_status. */
const longestLineWhy = 160

/** @returns a job as people and models see it. Its result preview and error extract are bounded. */
export function jobView(context: ServiceContext, job: Job, detail: 'concise' | 'full'): JobView {
  const facts = jobFacts(context, job)
  const { unit, attempts, display, unitsWaiting } = facts
  const lastAttempt = attempts.at(-1) ?? null
  const output = outputOf(context, job, unit)
  const full = detail === 'full'
  const gpu = gpuView(context, job)
  const isOpen = job.finishedAt === null && job.keepOpen && job.sealedAt === null
  return {
    id: job.id,
    name: harmlessText(job.name),
    type: job.type,
    state: display.state,
    stored_state: job.state,
    why: harmlessText(display.why),
    final: isFinalJobState(job.state),
    queue: job.queue,
    priority: priorityName(job.priority),
    labels: job.labels,
    progress: progressOf(context, job, facts),
    eta: estimateOf(context, job, facts),
    ...(full || job.counts.total > 1 || unitsWaiting > 0 ? { counts: job.counts } : {}),
    ...(unitsWaiting === 0 ? {} : { units_waiting: unitsWaiting }),
    ...(isOpen ? { open: true } : {}),
    ...(display.state === 'awaiting_approval' && job.holdKind === 'review'
      ? { review: jobReview(context, job, unitsWaiting) }
      : {}),
    ...dependenciesView(context, job, facts, full),
    no_output_s: facts.silentMs === null ? null : Math.round(facts.silentMs / 1000),
    attempts: unit === null && job.startedAt !== null ? null : attempts.length,
    execution_mode: lastAttempt?.mode ?? (gpu === null ? null : modesText(gpu)),
    ...(gpu === null ? {} : { gpu }),
    error: isFinalJobState(job.state)
      ? errorView(job.error)
      : passingErrorView(job.error ?? lastAttempt?.error ?? null),
    ...(output === null ? {} : { result: boundedJson(output, resultPreviewBytes).value }),
    rerun_of: job.rerunOf,
    submitted_by: job.submittedBy,
    created_at: iso(job.createdAt),
    run_at: job.runAt > job.createdAt ? iso(job.runAt) : null,
    started_at: isoOrNull(job.startedAt),
    finished_at: isoOrNull(job.finishedAt),
    duration_s: durationSeconds(context, job),
    ...(full ? fullDetail(context, job) : {}),
  }
}

/** @returns a job on one line. */
export function jobLine(context: ServiceContext, job: Job): JobLine {
  const facts = jobFacts(context, job)
  return {
    id: job.id,
    name: harmlessText(job.name),
    type: job.type,
    state: facts.display.state,
    why: cutText(harmlessText(facts.display.why), longestLineWhy),
    progress: job.state === 'running' ? progressOf(context, job, facts) : null,
    ...(job.counts.total > 1 ? { counts: job.counts } : {}),
    created_at: iso(job.createdAt),
    finished_at: isoOrNull(job.finishedAt),
    duration_s: durationSeconds(context, job),
  }
}

/** The displayed state of a job and its reason, with everything this manager knows. */
export function displayOf(context: ServiceContext, job: Job): Display {
  return jobFacts(context, job).display
}

/** What a plain job gave, or the final step of one with several units. */
function outputOf({ store }: ServiceContext, job: Job, unit: Unit | null): Json | null {
  if (unit !== null) return unit.state === 'completed' ? resultOf(store, unit) : null
  const final = job.finalStep === 'done' ? finalStepOf(store, job) : null
  return final?.state === 'completed' ? resultOf(store, final) : null
}

function resultOf(store: JobStore, unit: Unit): Json {
  return shownResult(store.readUnitPayload(unit.id)?.output ?? null)
}

/** @returns the unit of a job's final step: it stands behind all others. */
export function finalStepOf(store: JobStore, job: Job): Unit | null {
  const [unit] = store.readUnits(job.id, { afterPosition: job.counts.total - 1, limit: 1 })
  return unit?.finalStep === true ? unit : null
}

/** @returns seconds that a job will probably still take, with a range, or null and why. */
export function estimateOf(context: ServiceContext, job: Job, facts: JobFacts): Estimate | null {
  if (job.state !== 'running' || job.heldAt !== null || job.pausedAt !== null) return null
  if (facts.unit === null) return context.throughput.estimate(job, facts.unitsWaiting)
  const own = context.supervisor.estimateOf(facts.unit.id)
  if (own !== null && own.seconds !== null) return own
  const workHash = context.store.readJobPayload(job.id)?.workHash ?? null
  const earlier = workHash === null ? [] : context.store.readDurations(workHash)
  return estimateFromEarlier(earlier, context.clock.now() - job.startedAt) ?? own
}

function dependenciesView(
  { store }: ServiceContext,
  job: Job,
  facts: JobFacts,
  full: boolean,
): Pick<JobView, 'depends_on'> {
  const dependencies = full ? store.readDependencies(job.id) : facts.dependencies
  if (dependencies.length === 0) return {}
  return {
    depends_on: dependencies.map(({ jobId, alias, condition, state }) => ({ id: jobId, as: alias, condition, state })),
  }
}

/** Ended units of a job with several; else what its one unit reports. */
function progressOf(context: ServiceContext, job: Job, { unit, unitsWaiting }: JobFacts): ProgressView | null {
  const { counts } = job
  if (counts.total <= 1 && unitsWaiting === 0) return newestProgress(context, unit)
  const current = counts.completed + counts.failed + counts.cancelled
  return progressView({ current, total: counts.total + unitsWaiting, message: null, stage: null })
}

/** What runs reports to memory first; the database has it a little later. */
function newestProgress(context: ServiceContext, unit: Unit | null): ProgressView | null {
  return progressView(unit === null ? null : (context.supervisor.progressOf(unit.id) ?? unit.progress))
}

type FullDetail = Pick<JobView, 'params' | 'limits' | 'attempt_history' | 'reruns' | 'changes'>

function fullDetail(context: ServiceContext, job: Job): FullDetail {
  const payload = context.store.readJobPayload(job.id)
  if (payload === null) return {}
  const { options } = payload
  const seconds = (ms: number | null) => (ms === null ? null : ms / 1000)
  const limits: JsonObject = {
    max_attempts: job.maxAttempts,
    concurrency: job.concurrency,
    max_failed_units: job.failureBudget.units,
    max_failed_percent: job.failureBudget.percent,
    stop_early: job.failureBudget.stopEarly,
    key_limits: job.keyLimits === null ? null : { key: options.limitKey, ...rateView(job.keyLimits) },
    test_first: job.testUnits,
    final_step: job.finalStep,
    total_timeout_s: seconds(options.totalTimeoutMs),
    timeout_s: seconds(options.unitTimeoutMs),
    idle_timeout_s: seconds(options.idleTimeoutMs),
    cancel_grace_s: seconds(options.cancelGraceMs),
    max_output_bytes: options.maxOutputBytes,
    rerun_when_lost: options.rerunWhenLost,
  }
  const history = context.store
    .readUnits(job.id, { limit: unitsInHistory })
    .flatMap((unit) => context.store.readAttempts(unit.id).map((attempt) => attemptView(unit.position, attempt)))
  const params = boundedJson(payload.params, 8_000)
  return {
    params: params.truncated ? { truncated: true, beginning: params.value } : payload.params,
    limits,
    attempt_history: history,
    reruns: context.store.readReruns(job.id, rerunsShown).map((rerun) => rerun.id),
    ...changesOf(context, job),
  }
}

function rateView({ concurrency, rate }: KeyLimits): JsonObject {
  return { concurrency, rate: rate === null ? null : { count: rate.count, interval_s: rate.windowMs / 1000 } }
}

function changesOf({ store }: ServiceContext, job: Job): Pick<JobView, 'changes'> {
  if (job.rerunOf === null) return {}
  const first = { job: store.readJob(job.rerunOf), payload: store.readJobPayload(job.rerunOf) }
  const payload = store.readJobPayload(job.id)
  if (first.job === null || first.payload === null || payload === null) return {}
  return { changes: jobChanges({ job: first.job, payload: first.payload }, { job, payload }) }
}

export function attemptView(position: number, attempt: Attempt): AttemptView {
  return {
    unit: position,
    attempt: attempt.attempt,
    outcome: attempt.outcome,
    executor: attempt.executor,
    mode: attempt.mode,
    device: attempt.device === null ? null : harmlessText(attempt.device),
    worker: attempt.remote?.worker ?? null,
    fallback_reason: attempt.fallbackReason === null ? null : harmlessText(attempt.fallbackReason.message),
    exit_code: attempt.exitCode,
    started_at: iso(attempt.startedAt),
    finished_at: isoOrNull(attempt.finishedAt),
    error: errorView(attempt.error),
  }
}

/** Of a job that goes on: whoever followed the remedy of its last error would make a second one. */
function passingErrorView(error: ErrorRecord | null): ErrorView | null {
  const view = errorView(error)
  return view === null ? null : { ...view, remedy: 'Nothing is to be done now: the job goes on by itself.' }
}

export function errorView(error: ErrorRecord | null): ErrorView | null {
  if (error === null) return null
  const tail: unknown = error.details?.['output_tail']
  return {
    code: error.code,
    message: harmlessText(error.message),
    remedy: error.remedy,
    ...(typeof tail === 'string' && tail !== '' ? { untrusted_output_tail: harmlessText(errorExtract(tail)) } : {}),
  }
}

export function progressView(progress: Progress | null): ProgressView | null {
  if (progress === null) return null
  const { current, total, message, stage } = progress
  const percent =
    total === null || total <= 0 ? null : Math.min(100, Math.max(0, Math.round((1000 * current) / total) / 10))
  return { current, total, percent, message: message === null ? null : harmlessText(message), stage }
}

function durationSeconds(context: ServiceContext, job: Job): number | null {
  if (job.startedAt === null) return null
  return Math.max(0, ((job.finishedAt ?? context.clock.now()) - job.startedAt) / 1000)
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}

function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : iso(ms)
}
