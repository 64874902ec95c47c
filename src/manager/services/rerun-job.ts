import { cutText } from '../../domain/cut-text.ts'
import { QueueError } from '../../domain/errors.ts'
import type { Job, Json } from '../../domain/job.ts'
import type { JobPayload } from '../../domain/ports/job-store.ts'
import { isFinalJobState, priorityName, type UnitState } from '../../domain/states.ts'
import { type RerunRequest, type SubmitAnswer, type SubmitRequest, submitRequest } from '../../domain/wire/submit.ts'
import { clientContext } from '../runtime/command-task.ts'
import { createSourceReader } from '../runtime/source-readers.ts'
import { gpuOfFirst } from './rerun-gpu.ts'
import type { ServiceContext } from './service-context.ts'
import { submitOrRerun } from './submit-job.ts'

const suffix = ' (re-run)'
const unitPage = 1_000

const chosenStates: Readonly<Record<NonNullable<RerunRequest['only']>, readonly UnitState[]>> = {
  failed: ['failed'],
  cancelled: ['cancelled'],
  failed_or_cancelled: ['failed', 'cancelled'],
  not_completed: ['failed', 'cancelled'],
}

/**
 * Submits a finished job again as a new job linked by `rerun_of`: same parameters, units, environment and directory as the
 * first time, but for the overrides; or only some of its units.
 * @throws QueueError job_not_found, invalid_transition while it is unfinished, and what submit throws
 */
export async function rerunJob(context: ServiceContext, request: RerunRequest): Promise<SubmitAnswer> {
  context.storage.assertAcceptsJobs()
  const { store } = context
  const job = store.readJob(request.id)
  const payload = store.readJobPayload(request.id)
  if (job === null || payload === null) throw new QueueError('job_not_found', `no job has the id ${request.id}`)
  if (!isFinalJobState(job.state)) {
    throw new QueueError('invalid_transition', `job ${job.id} is ${job.state}; only a finished job can be run again`, {
      remedy: `Wait for it (wait_for_jobs) or cancel it first (cancel_job {"ids":["${job.id}"]}).`,
    })
  }
  await context.jobTypes.refresh(job.type)
  const earlier = request.overrides?.depends_on === undefined ? dependenciesOf(context, job.id) : {}
  const submission = { ...earlier, ...submissionOf(context, job, payload, request) }
  const givesUnits = submission.units !== undefined || submission.source !== undefined
  const units = givesUnits ? null : await chosenUnits(context, job, request)
  const name = job.name.endsWith(suffix) ? job.name : cutText(job.name, 200 - suffix.length) + suffix
  const selection = JSON.stringify([request.only ?? null, request.units ?? null])
  return submitOrRerun(context, submission, { jobId: job.id, name, selection, units })
}

function submissionOf(context: ServiceContext, job: Job, payload: JobPayload, request: RerunRequest): SubmitRequest {
  const { params: overriddenParams, ...overrides } = request.overrides ?? {}
  const type = context.jobTypes.named(job.type)
  const client = clientContext.safeParse(payload.context).data
  const { options } = payload
  const { retry, rateLimit } = options
  const seconds = (key: string, ms: number | null) => (ms === null ? {} : { [key]: ms / 1000 })
  const { units: budgetUnits, percent, stopEarly } = job.failureBudget
  return submitRequest.parse({
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
    retry_on: [...(retry.exitCode ? ['exit_code'] : []), ...(retry.timeout ? ['timeout'] : [])],
    ...(retry.onlyExitCodes === null ? {} : { retry_exit_codes: retry.onlyExitCodes }),
    ...(retry.rejectedExitCodes.length === 0 ? {} : { rejected_exit_codes: retry.rejectedExitCodes }),
    ...(rateLimit === null
      ? {}
      : {
          rate_limited: {
            exit_codes: rateLimit.exitCodes,
            ...(rateLimit.text === null ? {} : { text: rateLimit.text }),
            wait_s: rateLimit.waitMs / 1000,
          },
        }),
    cancel_grace_s: options.cancelGraceMs / 1000,
    max_output_bytes: options.maxOutputBytes,
    ...seconds('timeout_s', options.unitTimeoutMs),
    ...seconds('idle_timeout_s', options.idleTimeoutMs),
    ...seconds('total_timeout_s', options.totalTimeoutMs),
    ...(job.concurrency === null ? {} : { concurrency: job.concurrency }),
    ...(options.unitKey === null ? {} : { unit_key: options.unitKey }),
    // What its type said then, it may say otherwise now.
    ...(options.limitKeyIsDefault === true ? {} : perKey(job, options.limitKey)),
    ...(budgetUnits === null ? {} : { max_failed_units: budgetUnits }),
    ...(percent === null ? {} : { max_failed_percent: percent }),
    stop_early: stopEarly,
    // The whole work again is looked at again; chosen units were approved with the first run.
    ...(job.testUnits === null || request.only !== undefined || request.units !== undefined
      ? {}
      : { test_first: job.testUnits }),
    ...gpuOfFirst(options.gpu, context.jobTypes.handlerOf(job.type)?.info ?? null, overrides),
    ...(payload.finalStep === null ? {} : { final_step: { params: payload.finalStep.params } }),
    ...overrides,
    params: overriddenParams === undefined ? payload.params : type.mergeParams(payload.params, overriddenParams),
    idempotency_key: request.idempotency_key,
    // The run is to be the same: its environment and directory are those of the first one, not of this client.
    context: {
      environment: client?.environment ?? {},
      cwd: client?.cwd ?? null,
      submitted_by: request.context.submitted_by,
    },
  })
}

/** What it waited for has ended, and its placeholders may still speak of it. */
function dependenciesOf({ store }: ServiceContext, jobId: string): Partial<SubmitRequest> {
  const dependencies = store.readDependencies(jobId)
  const kept = dependencies.filter((dependency) => store.readJob(dependency.jobId) !== null)
  const params = JSON.stringify(store.readJobPayload(jobId)?.params ?? {})
  const lost = dependencies.find((each) => !kept.includes(each) && speaksOf(params, each.alias))
  if (lost !== undefined) {
    throw new QueueError(
      'invalid_transition',
      `job ${jobId} takes the result of job ${lost.jobId}, which has been deleted`,
      {
        remedy: `Give another one: {"overrides":{"depends_on":[{"id":"…","as":${JSON.stringify(lost.alias)}}]}}.`,
      },
    )
  }
  if (kept.length === 0) return {}
  return { depends_on: kept.map(({ jobId: id, alias, condition }) => ({ id, condition, ...aliasOf(alias) })) }
}

/** True when a placeholder of the parameters names a dependency. */
function speaksOf(params: string, alias: string): boolean {
  return new RegExp(`\\{\\{\\s*(dependencies\\.)?${alias}\\b`).test(params)
}

/** Those without a name are called by their number, which is given anew. */
function aliasOf(alias: string): { readonly as?: string } {
  return /^\d+$/.test(alias) ? {} : { as: alias }
}

function perKey(job: Job, key: string | null): Partial<SubmitRequest> {
  const { concurrency, rate } = job.keyLimits ?? { concurrency: null, rate: null }
  if (key === null || (concurrency === null && rate === null)) return {}
  return {
    per_key: {
      key,
      ...(concurrency === null ? {} : { concurrency }),
      ...(rate === null ? {} : { rate_limit: { count: rate.count, interval_s: rate.windowMs / 1000 } }),
    },
  }
}

/**
 * @returns values of the units that are to run again; null for a plain job of one unit without a value
 * @throws QueueError invalid_input when none fits
 */
async function chosenUnits(context: ServiceContext, job: Job, request: RerunRequest): Promise<Json[] | null> {
  const { store } = context
  const states = request.only === undefined ? undefined : chosenStates[request.only]
  const positions = request.units === undefined ? null : new Set(request.units)
  const values: Json[] = []
  let after = -1
  for (;;) {
    const page = store.readUnits(job.id, { afterPosition: after, limit: unitPage }, { states })
    const chosen: string[] = []
    for (const unit of page) {
      if (unit.finalStep || positions?.has(unit.position) === false) continue
      chosen.push(unit.id)
    }
    const inputs = store.readUnitInputs(chosen)
    for (const id of chosen) values.push(inputs.get(id) ?? null)
    const last = page.at(-1)
    if (last === undefined || page.length < unitPage) break
    after = last.position
    // A million units take seconds: everybody else comes in between.
    await new Promise((resolve) => setImmediate(resolve))
  }
  // What a cancelled job's sources had not given yet was not completed either.
  const includesUnfed = positions === null && (request.only === undefined || request.only === 'not_completed')
  // One by one: so many arguments of one call as a job may have units overflow the stack.
  if (includesUnfed) for (const value of await unfedValues(context, job)) values.push(value)
  if (values.length === 0) {
    throw new QueueError('invalid_input', `no unit of job ${job.id} is to run again: ${explain(job, request)}`, {
      remedy: `list_units {"id":"${job.id}"} shows its units and how they ended.`,
    })
  }
  return isPlain(context, job, values) ? null : values
}

/** A plain job has one unit without a value; a batch may have one whose value is null, and its command says so. */
function isPlain({ store }: ServiceContext, job: Job, values: readonly Json[]): boolean {
  if (values.length !== 1 || values[0] !== null || job.counts.total > 1) return false
  return !/\{\{\s*(unit|index)\b/.test(JSON.stringify(store.readJobPayload(job.id)?.params ?? {}))
}

async function unfedValues({ store, facts }: ServiceContext, job: Job): Promise<Json[]> {
  const values: Json[] = []
  for (const { source, cursor } of store.readUnfedSources(job.id)) {
    const reader = createSourceReader(source, facts.home)
    for (let at = cursor; ; ) {
      const { items, atEnd } = await reader.read(at, unitPage)
      for (const { value } of items) values.push(value)
      const last = items.at(-1)
      if (atEnd || last === undefined) break
      at = last.cursor
    }
  }
  return values
}

function explain({ counts }: Job, { only, units }: RerunRequest): string {
  const ended = `${counts.completed} completed, ${counts.failed} failed, ${counts.cancelled} cancelled`
  const asked = [
    ...(only === undefined ? [] : [`only: "${only}"`]),
    ...(units === undefined ? [] : ['the units named']),
  ]
  return `${asked.join(' and ')} of ${counts.total} (${ended})`
}
