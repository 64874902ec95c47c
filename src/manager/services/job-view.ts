import { cutText } from '../../domain/cut-text.ts'
import { type Display, displayState, type UnitFacts } from '../../domain/display-state.ts'
import { harmlessText } from '../../domain/display-text.ts'
import type { ErrorRecord } from '../../domain/errors.ts'
import type { Attempt, Job, JsonObject, Progress, Unit } from '../../domain/job.ts'
import { isFinalJobState, priorityName } from '../../domain/states.ts'
import type { AttemptView, ErrorView, JobLine, JobView, ProgressView } from '../../domain/wire/shared.ts'
import { boundedJson } from './bounded-json.ts'
import type { ServiceContext } from './service-context.ts'

const resultPreviewBytes = 2_000
const unitsInHistory = 20
/** Characters of a reason on one line; the whole one stands in job_status. */
const longestLineWhy = 160

/** The one unit of a plain job and its attempts; both empty while nothing ran, which saves the reads on the submit path. */
interface PlainUnit {
  readonly unit: Unit | null
  readonly attempts: readonly Attempt[]
}

function readPlainUnit({ store }: ServiceContext, job: Job): PlainUnit {
  if (job.counts.total !== 1 || job.startedAt === null) return { unit: null, attempts: [] }
  const unit = store.readUnits(job.id, { limit: 1 })[0] ?? null
  return { unit, attempts: unit === null ? [] : store.readAttempts(unit.id) }
}

/** @returns a job as people and models see it. Its result preview and error extract are bounded. */
export function jobView(context: ServiceContext, job: Job, detail: 'concise' | 'full'): JobView {
  const plain = readPlainUnit(context, job)
  const { unit, attempts } = plain
  const lastAttempt = attempts.at(-1) ?? null
  const display = displayWith(context, job, plain)
  const output = unit?.state === 'completed' ? (context.store.readUnitPayload(unit.id)?.output ?? null) : null
  const full = detail === 'full'
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
    progress: newestProgress(context, unit),
    eta: unit !== null && job.state === 'running' ? context.supervisor.estimateOf(unit.id) : null,
    ...(full || job.counts.total > 1 ? { counts: job.counts } : {}),
    attempts: attempts.length,
    execution_mode: lastAttempt?.mode ?? null,
    error: errorView(job.error ?? (isFinalJobState(job.state) ? null : (lastAttempt?.error ?? null))),
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
  const plain = readPlainUnit(context, job)
  const display = displayWith(context, job, plain)
  return {
    id: job.id,
    name: harmlessText(job.name),
    type: job.type,
    state: display.state,
    why: bounded(harmlessText(display.why)),
    progress: job.state === 'running' ? newestProgress(context, plain.unit) : null,
    created_at: iso(job.createdAt),
    finished_at: isoOrNull(job.finishedAt),
    duration_s: durationSeconds(context, job),
  }
}

function bounded(why: string): string {
  return cutText(why, longestLineWhy)
}

/** The displayed state of a job and its reason, with everything this manager knows. */
export function displayOf(context: ServiceContext, job: Job): Display {
  return displayWith(context, job, readPlainUnit(context, job))
}

function displayWith(context: ServiceContext, job: Job, plain: PlainUnit): Display {
  return displayState(job, {
    now: context.clock.now(),
    units: unitFacts(plain),
    slots: context.dispatcher.slots,
    draining: context.isDraining(),
    ...(job.cancelRequestedAt === null
      ? {}
      : { cancelGraceMs: context.store.readJobPayload(job.id)?.options.cancelGraceMs }),
  })
}

function unitFacts({ unit, attempts }: PlainUnit): UnitFacts | undefined {
  if (unit === null) return undefined
  const last = attempts.at(-1)
  return {
    nextAvailableAt: unit.state === 'available' ? unit.availableAt : null,
    retryingUnits: unit.state === 'available' && unit.attempt > 0 ? 1 : 0,
    failures: unit.failures,
    crashes: unit.crashes,
    lastError: last?.error ?? null,
    lastAttempt: last === undefined ? null : { number: last.attempt, exitCode: last.exitCode },
  }
}

/** What runs reports to memory first; the database has it a little later. */
function newestProgress(context: ServiceContext, unit: Unit | null): ProgressView | null {
  return progressView(unit === null ? null : (context.supervisor.progressOf(unit.id) ?? unit.progress))
}

function fullDetail(context: ServiceContext, job: Job): Pick<JobView, 'params' | 'limits' | 'attempt_history'> {
  const payload = context.store.readJobPayload(job.id)
  if (payload === null) return {}
  const { options } = payload
  const seconds = (ms: number | null) => (ms === null ? null : ms / 1000)
  const limits: JsonObject = {
    max_attempts: job.maxAttempts,
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
  }
}

function attemptView(position: number, attempt: Attempt): AttemptView {
  return {
    unit: position,
    attempt: attempt.attempt,
    outcome: attempt.outcome,
    executor: attempt.executor,
    mode: attempt.mode,
    exit_code: attempt.exitCode,
    started_at: iso(attempt.startedAt),
    finished_at: isoOrNull(attempt.finishedAt),
    error: errorView(attempt.error),
  }
}

export function errorView(error: ErrorRecord | null): ErrorView | null {
  if (error === null) return null
  const tail: unknown = error.details?.['output_tail']
  return {
    code: error.code,
    message: harmlessText(error.message),
    remedy: error.remedy,
    ...(typeof tail === 'string' && tail !== '' ? { untrusted_output_tail: harmlessText(tail) } : {}),
  }
}

function progressView(progress: Progress | null): ProgressView | null {
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
