import { createHash } from 'node:crypto'
import { checkTemplates } from '../../domain/command-template.ts'
import { QueueError } from '../../domain/errors.ts'
import type { FailureBudget, JobOptions, Json, JsonObject, KeyLimits, RateLimit } from '../../domain/job.ts'
import type { NewDependency, NewJob } from '../../domain/ports/job-store.ts'
import type { NewSource, NewUnit } from '../../domain/ports/source-store.ts'
import { defaultBackoff } from '../../domain/retry-policy.ts'
import { priorities } from '../../domain/states.ts'
import { type SubmitRequest, submitRequest } from '../../domain/wire/submit.ts'
import { clientContext } from '../runtime/command-task.ts'
import { gpuOptions } from './gpu-options.ts'
import type { JobType } from './job-types.ts'
import { prepareUnits } from './job-units.ts'
import type { ServiceContext } from './service-context.ts'

/** Larger parameters would sit in every status answer; a file and its path serve better. */
const largestParamsBytes = 1024 * 1024

/** A submission that was checked and whose source was enumerated: ready to be stored in one commit. */
export interface PreparedSubmission {
  readonly request: SubmitRequest
  readonly name: string
  readonly options: JobOptions
  readonly context: Json
  readonly units: readonly NewUnit[]
  readonly source: NewSource | null
  /** What is to be told of units and sources. */
  readonly notes: readonly string[]
  readonly rerunOf: string | null
  readonly finalStep: JsonObject | null
  readonly dependencies: readonly NewDependency[]
  readonly contentHash: string
  readonly workHash: string | null
}

/** What a rerun decides itself; left out for a first run. */
export interface RerunOf {
  readonly jobId: string
  readonly name: string
  /** Which units of the first run, as they were asked for: what a repeat is compared by. */
  readonly selection: string
  /** Units chosen from the first run; null: as the request says. */
  readonly units: readonly Json[] | null
}

/**
 * Checks a submission and enumerates its source.
 * @throws QueueError invalid_input, unknown_job_type, limit_exceeded
 */
export async function prepareSubmission(
  context: ServiceContext,
  asked: SubmitRequest,
  rerun: RerunOf | null = null,
): Promise<PreparedSubmission> {
  await context.jobTypes.refresh(asked.type)
  const type = context.jobTypes.named(asked.type)
  const request = withDefaults(asked, type, rerun?.units != null)
  const limitKeyIsDefault = asked.per_key === undefined && request.per_key !== undefined
  const gpu = gpuOptions(type.type, context.jobTypes.handlerOf(type.type)?.info ?? null, request)
  checkSize(request.params)
  checkCombinations(request, rerun)
  checkNeeds(type, request, rerun)
  checkUnits(type, request.units, undefined)
  const prepared = type.prepare(request.params, request.context)
  const cwd = clientContext.safeParse(prepared.context).data?.cwd ?? null
  const { units, source, first, notes } = await prepareUnits(
    context,
    rerun?.units == null ? request : { ...request, units: [...rerun.units], source: undefined },
    cwd,
    limitKeyIsDefault,
  )
  checkUnits(type, undefined, first)
  const hasUnits = source !== null || first !== undefined || request.keep_open === true
  const dependencies = dependenciesOf(request.depends_on ?? [])
  const aliases = dependencies.map(({ alias }) => alias)
  if (type.hasTemplates) checkTemplates(request.params, { hasUnits, first, aliases })
  return {
    request,
    name: request.name ?? rerun?.name ?? prepared.name,
    options: { ...jobOptions(context, request, limitKeyIsDefault), ...(gpu === undefined ? {} : { gpu }) },
    context: prepared.context,
    units,
    source,
    notes,
    rerunOf: rerun?.jobId ?? null,
    finalStep: finalStepOf(type, request, aliases),
    dependencies,
    contentHash: contentHash(asked, rerun),
    // What needs no processor takes no time worth estimating.
    workHash: hasUnits || type.executor === 'inline' ? null : hashOf({ type: request.type, params: request.params }),
  }
}

/** @returns the job as the store takes it. */
export function newJobOf(
  prepared: PreparedSubmission,
  extras: { readonly scheduleId: string | null; readonly dependencies?: readonly NewDependency[] },
  createId: () => string,
  now: number,
): NewJob {
  const { request } = prepared
  return {
    id: createId(),
    type: request.type,
    queue: request.queue ?? 'default',
    name: prepared.name,
    labels: request.labels ?? {},
    priority: priorities[request.priority ?? 'normal'],
    params: request.params as JsonObject,
    options: prepared.options,
    context: prepared.context,
    // 0 is due on every clock: a job without a start time must not wait when the wall clock is set back.
    runAt: request.run_at === undefined ? 0 : Date.parse(request.run_at),
    concurrency: request.concurrency ?? null,
    maxAttempts: request.max_attempts ?? 1,
    rerunOf: prepared.rerunOf,
    submittedBy: request.context.submitted_by,
    idempotencyKey: request.idempotency_key,
    contentHash: prepared.contentHash,
    workHash: prepared.workHash,
    units: prepared.units,
    source: prepared.source,
    keepOpen: request.keep_open ?? false,
    testUnits: request.test_first ?? null,
    keyLimits: keyLimitsOf(request),
    failureBudget: failureBudgetOf(request),
    finalStep: prepared.finalStep === null ? null : { unitId: createId(), params: prepared.finalStep },
    dependencies: [...prepared.dependencies, ...(extras.dependencies ?? [])],
    scheduleId: extras.scheduleId,
    gpu: prepared.options.gpu?.preference ?? 'never',
    now,
  }
}

function checkSize(params: unknown): void {
  const size = Buffer.byteLength(JSON.stringify(params))
  if (size <= largestParamsBytes) return
  throw new QueueError('limit_exceeded', `params are ${size} bytes; at most ${largestParamsBytes} are kept`, {
    remedy: 'Write large input to a file and pass its path.',
  })
}

function checkCombinations(request: SubmitRequest, rerun: RerunOf | null): void {
  const refuse = (message: string, remedy: string) => {
    throw new QueueError('invalid_input', message, { remedy })
  }
  const hasMany = request.units !== undefined || request.source !== undefined
  if (request.units !== undefined && request.source !== undefined) {
    refuse('units and source were given together', 'Give one of them; add_units can add the other later.')
  }
  if (request.max_failed_units !== undefined && request.max_failed_percent !== undefined) {
    refuse('max_failed_units and max_failed_percent were given together', 'Give one of them.')
  }
  if (request.per_key !== undefined && request.per_key.concurrency === undefined && !request.per_key.rate_limit) {
    refuse('per_key has neither concurrency nor rate_limit', 'Say what units with the same key share.')
  }
  // A rerun has the units of the first run.
  if (hasMany || request.keep_open === true || rerun !== null) return
  for (const key of ['test_first', 'unit_key', 'per_key', 'max_failed_units', 'max_failed_percent'] as const) {
    if (request[key] !== undefined) refuse(`${key} needs several units`, 'Give units, a source, or keep_open: true.')
  }
}

/** What a type says of itself holds where the submit is silent. */
function withDefaults(request: SubmitRequest, { defaults }: JobType, hasChosenUnits: boolean): SubmitRequest {
  const { per_key: perKey, ...rest } = defaults
  const given = Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined))
  const hasMany =
    hasChosenUnits || request.units !== undefined || request.source !== undefined || request.keep_open === true
  return submitRequest.parse({ ...rest, ...(hasMany && perKey !== undefined ? { per_key: perKey } : {}), ...given })
}

function checkNeeds({ needsUnits, type }: JobType, request: SubmitRequest, rerun: RerunOf | null): void {
  if (!needsUnits || request.units !== undefined || request.source !== undefined) return
  if (request.keep_open === true || rerun?.units != null) return
  throw new QueueError('invalid_input', `"${type}" works on units, and none was given`, {
    remedy: `Give units or a source; list_job_types {"type":"${type}"} shows what a unit is.`,
  })
}

/** @throws QueueError invalid_input naming the first unit that the type refuses */
function checkUnits(type: JobType, units: readonly Json[] | undefined, first: Json | undefined): void {
  if (type.checkUnit === null) return
  if (units === undefined) {
    if (first !== undefined) type.checkUnit(first, 'the first unit')
    return
  }
  for (const [index, unit] of units.entries()) type.checkUnit(unit, `units[${index}]`)
}

function finalStepOf(type: JobType, request: SubmitRequest, aliases: readonly string[]): JsonObject | null {
  if (request.final_step === undefined) return null
  const params = request.final_step.params as JsonObject
  const inherited = type.hasTemplates && params['cwd'] === undefined && typeof request.params['cwd'] === 'string'
  const whole = inherited ? { ...params, cwd: request.params['cwd'] as string } : params
  type.prepare(whole, request.context)
  if (type.hasTemplates) checkTemplates(whole, { hasUnits: false, aliases })
  return whole
}

function keyLimitsOf({ per_key: limits }: SubmitRequest): KeyLimits | null {
  if (limits === undefined) return null
  return { concurrency: limits.concurrency ?? null, rate: rateLimitOf(limits.rate_limit) }
}

/** @returns dependencies in the store's words; one without a name is called by its number. */
export function dependenciesOf(given: NonNullable<SubmitRequest['depends_on']>): NewDependency[] {
  return given.map((each, index) =>
    typeof each === 'string'
      ? { jobId: each, alias: String(index), condition: 'completed' as const }
      : { jobId: each.id, alias: each.as ?? String(index), condition: each.condition },
  )
}

/** @returns a rate limit in the store's words. */
export function rateLimitOf(limit: { count: number; interval_s: number } | null | undefined): RateLimit | null {
  return limit == null ? null : { count: limit.count, windowMs: Math.round(limit.interval_s * 1000) }
}

function failureBudgetOf(request: SubmitRequest): FailureBudget {
  const units = request.max_failed_units ?? null
  const percent = request.max_failed_percent ?? null
  return { units, percent, stopEarly: request.stop_early ?? (units !== null || percent !== null) }
}

function jobOptions({ settings }: ServiceContext, request: SubmitRequest, limitKeyIsDefault: boolean): JobOptions {
  const milliseconds = (seconds: number | undefined) =>
    seconds === undefined ? null : Math.max(1, Math.round(seconds * 1000))
  const retryOn = request.retry_on ?? ['exit_code', 'timeout']
  const limited = request.rate_limited
  return {
    backoff: {
      initialMs: milliseconds(request.backoff?.initial_s) ?? defaultBackoff.initialMs,
      maxMs: milliseconds(request.backoff?.max_s) ?? defaultBackoff.maxMs,
      factor: request.backoff?.factor ?? defaultBackoff.factor,
    },
    unitTimeoutMs: milliseconds(request.timeout_s),
    idleTimeoutMs: milliseconds(request.idle_timeout_s),
    totalTimeoutMs: milliseconds(request.total_timeout_s),
    cancelGraceMs: request.cancel_grace_s === 0 ? 0 : (milliseconds(request.cancel_grace_s) ?? settings.cancel_grace),
    maxOutputBytes: request.max_output_bytes ?? settings.max_output,
    rerunWhenLost: request.rerun_when_lost ?? true,
    retry: {
      exitCode: retryOn.includes('exit_code'),
      timeout: retryOn.includes('timeout'),
      onlyExitCodes: request.retry_exit_codes ?? null,
      rejectedExitCodes: request.rejected_exit_codes ?? [],
    },
    rateLimit:
      limited === undefined
        ? null
        : {
            exitCodes: limited.exit_codes ?? [],
            text: limited.text ?? null,
            waitMs: Math.round(limited.wait_s * 1000),
          },
    unitKey: request.unit_key ?? null,
    limitKey: request.per_key?.key ?? null,
    ...(limitKeyIsDefault ? { limitKeyIsDefault } : {}),
  }
}

/**
 * Hash of what the caller said. The captured context is left out: the same call from another window is the same call. A list of
 * units is data, taken as it was written: sorting the keys of ten thousand would keep other calls waiting.
 */
export function contentHash(request: SubmitRequest, rerun: RerunOf | null): string {
  const { context: _context, idempotency_key: _key, units, ...content } = request
  return hashOf({
    ...content,
    units: units && JSON.stringify(units),
    rerun_of: rerun?.jobId ?? null,
    rerun_units: rerun?.selection,
  })
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('base64url')
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
