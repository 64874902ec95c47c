import { checkTemplates } from '../../domain/command-template.ts'
import { QueueError } from '../../domain/errors.ts'
import type { Job, Json } from '../../domain/job.ts'
import type { NewSource } from '../../domain/ports/source-store.ts'
import { isFinalJobState } from '../../domain/states.ts'
import type { OperationCall } from '../../domain/wire/operations.ts'
import { commandParams } from '../../domain/wire/submit.ts'
import type { AddUnitsAnswer } from '../../domain/wire/units.ts'
import { clientContext } from '../runtime/command-task.ts'
import { UnitKeys } from '../runtime/unit-keys.ts'
import { prepareSource } from './job-units.ts'
import { jobView } from './job-view.ts'
import type { ServiceContext } from './service-context.ts'
import { discardSource } from './source-spool.ts'

/**
 * Adds units to an unfinished job, which cannot end before they have; with `close` none can be added afterwards. When it answers,
 * the units are durable; they are added while the job runs.
 * @throws QueueError job_not_found, invalid_transition, invalid_input, limit_exceeded, storage_full
 */
export async function addUnits(context: ServiceContext, request: OperationCall<'add_units'>): Promise<AddUnitsAnswer> {
  assertSomethingToDo(request)
  const found = context.store.readJob(request.id)
  assertTakesUnits(request.id, found)
  assertHasUnits(context, found)
  const prepared = await prepare(context, request)
  let job: Job
  try {
    job = await context.commits.run(() => store(context, request, prepared))
  } catch (error) {
    discardSource(context, prepared)
    throw error
  }
  context.feeder.wake()
  return {
    id: job.id,
    given: prepared?.total ?? 0,
    job: jobView(context, job, 'concise'),
    next: request.close
      ? `wait_for_jobs {"ids":["${job.id}"]} tells when all have ended.`
      : `list_units {"id":"${job.id}"} shows them.${job.keepOpen ? ` The job stays open: add_units {"id":"${job.id}","close":true} lets it end.` : ''}`,
  }
}

function assertSomethingToDo({ id, units, source, close }: OperationCall<'add_units'>): void {
  if (units !== undefined && source !== undefined) {
    throw new QueueError('invalid_input', 'units and source were given together', {
      remedy: 'Give one of them, and the other in a second call.',
    })
  }
  if ((units === undefined || units.length === 0) && source === undefined && !close) {
    throw new QueueError('invalid_input', 'neither units nor source nor close was given', {
      remedy: `Call with {"id":"${id}","units":[…]}, or with "close": true to let the job end.`,
    })
  }
}

/** @throws QueueError job_not_found, invalid_transition */
function assertTakesUnits(id: string, job: Job | null): asserts job is Job {
  if (job === null) throw new QueueError('job_not_found', `no job has the id ${id}`)
  const refuse = (why: string) =>
    new QueueError('invalid_transition', `job ${id} ${why}; no unit can be added`, {
      remedy: `Submit the units as a new job, or run this one again with rerun_job {"id":"${id}"}.`,
    })
  if (isFinalJobState(job.state)) throw refuse(`is ${job.state}`)
  if (job.cancelRequestedAt !== null) throw refuse('is being cancelled')
  if (job.finalStep === 'running' || job.finalStep === 'done') throw refuse('runs its final step')
}

/** A plain command has one unit without a value: it would be run again as it is. */
function assertHasUnits({ store }: ServiceContext, job: Job): void {
  if (job.keepOpen || job.counts.total !== 1 || store.readSourceTotals(job.id).waiting > 0) return
  const unit = store.readUnits(job.id, { limit: 1 })[0]
  if (unit === undefined || store.readUnitPayload(unit.id)?.input !== null) return
  throw new QueueError('invalid_transition', `job ${job.id} is one command without units; none can be added`, {
    remedy: 'Submit a job with units, or with keep_open: true.',
  })
}

/** @returns the source of the new units; null when the job is only closed */
async function prepare(context: ServiceContext, request: OperationCall<'add_units'>): Promise<NewSource | null> {
  if ((request.units === undefined || request.units.length === 0) && request.source === undefined) return null
  context.storage.assertAcceptsJobs()
  const payload = context.store.readJobPayload(request.id)
  if (payload === null) throw new QueueError('job_not_found', `no job has the id ${request.id}`)
  const cwd = clientContext.safeParse(payload.context).data?.cwd ?? null
  const keys = new UnitKeys(payload.options, context.createId)
  const { source, first } = await prepareSource(context, keys, request, cwd)
  try {
    checkFirst(context, request.id, payload.params, first)
  } catch (error) {
    discardSource(context, source)
    throw error
  }
  return source
}

/** A unit that lacks a field of the command would fail; better now than in the night. */
function checkFirst({ store }: ServiceContext, id: string, params: Json, first: Json): void {
  const command = commandParams.safeParse(params)
  if (!command.success) return
  const aliases = store.readDependencies(id).map(({ alias }) => alias)
  checkTemplates(command.data, { hasUnits: true, first, aliases })
}

function store(
  { store, clock, storage }: ServiceContext,
  request: OperationCall<'add_units'>,
  source: NewSource | null,
): Job {
  const now = clock.now()
  if (source !== null) {
    storage.assertAcceptsJobs()
    const appended = store.appendSource(request.id, source, now)
    if (appended.kind !== 'appended') throw changedMeanwhile(request.id, store.readJob(request.id))
  }
  if (request.close) {
    const updated = store.updateJob(request.id, { close: true }, now)
    if (updated.kind !== 'updated') throw changedMeanwhile(request.id, store.readJob(request.id))
  }
  const job = store.readJob(request.id)
  if (job === null) throw changedMeanwhile(request.id, null)
  return job
}

/** It ended, or was cancelled, while the source was enumerated. */
function changedMeanwhile(id: string, job: Job | null): QueueError {
  try {
    assertTakesUnits(id, job)
  } catch (error) {
    if (error instanceof QueueError) return error
  }
  return new QueueError('invalid_transition', `job ${id} takes no units any more`)
}
