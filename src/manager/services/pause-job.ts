import { QueueError } from '../../domain/errors.ts'
import { formatDuration } from '../../domain/format-duration.ts'
import type { HeldUnit, PauseOutcome } from '../../domain/ports/job-store.ts'
import type { PauseAnswer } from '../../domain/wire/control.ts'
import type { OperationCall } from '../../domain/wire/operations.ts'
import type { Commit } from '../runtime/commit-queue.ts'
import { checkChoice, chosenIds } from './chosen-jobs.ts'
import { queueView } from './queue-view.ts'
import type { ServiceContext } from './service-context.ts'

type PausedJob = PauseAnswer['jobs'][number]

/**
 * Pauses jobs or a queue. When it answers, nothing of them starts any more; what runs finishes, or is being suspended.
 * @throws QueueError invalid_input, job_not_found when none of the ids is known
 */
export async function pauseJobs(context: ServiceContext, request: OperationCall<'pause_job'>): Promise<PauseAnswer> {
  if (request.queue !== undefined) return setQueuePaused(context, request.queue, request, true)
  checkChoice(request, 'pause')
  const answer = await context.commits.run((commit) => {
    const { ids, hasMore } = chosenIds(context, request)
    return { jobs: ids.map((id) => pauseOne(context, id, request.freeze, commit)), has_more: hasMore }
  })
  refuseUnknown(answer.jobs)
  return {
    ...answer,
    queue: null,
    next: `resume_job ${call(answer.jobs)} goes on with them; a pause survives restarts.`,
  }
}

/**
 * Resumes jobs or a queue.
 * @throws QueueError invalid_input, job_not_found when none of the ids is known
 */
export async function resumeJobs(context: ServiceContext, request: OperationCall<'resume_job'>): Promise<PauseAnswer> {
  if (request.queue !== undefined) return setQueuePaused(context, request.queue, request, false)
  checkChoice(request, 'resume')
  const answer = await context.commits.run((commit) => {
    const { ids, hasMore } = chosenIds(context, request)
    return { jobs: ids.map((id) => resumeOne(context, id, commit)), has_more: hasMore }
  })
  refuseUnknown(answer.jobs)
  return { ...answer, queue: null, next: `wait_for_jobs ${call(answer.jobs)} tells when they end.` }
}

/** A call takes 50 ids. */
function call(jobs: readonly PausedJob[]): string {
  return JSON.stringify({ ids: jobs.slice(0, 50).map((job) => job.id) })
}

function pauseOne(context: ServiceContext, id: string, freeze: boolean, commit: Commit): PausedJob {
  const { store, clock, supervisor } = context
  const type = store.readJob(id)?.type
  // Only processes can be suspended where they are.
  const suspends = freeze && (type === undefined || context.jobTypes.executorOf(type) === 'command')
  const outcome = store.pauseJob(id, suspends, clock.now())
  if (outcome.kind !== 'changed') return { id, ...unchanged(outcome, 'paused') }
  const { held, job } = outcome
  commit.afterCommit(() => {
    for (const { fence } of held) {
      if (suspends) supervisor.freeze(fence.unitId)
      else supervisor.thaw(fence.unitId)
    }
    context.jobClock.follow(job)
    context.throughput.paused(id)
  })
  if (held.length === 0) return { id, outcome: 'paused', why: 'nothing of it runs; nothing starts until it is resumed' }
  if (freeze) {
    if (!suspends) {
      const what = held.some(({ executor }) => executor === 'gpu') ? 'what runs at a GPU worker' : 'a handler'
      return {
        id,
        outcome: 'refused',
        why: `${what} cannot be suspended; it is paused, and ${units(held)} allowed to finish`,
      }
    }
    return {
      id,
      outcome: 'frozen',
      why: `${units(held)} suspended and ${held.length === 1 ? 'keeps its slot' : 'keep their slots'}`,
    }
  }
  const since = job.startedAt === null ? '' : `, running for ${formatDuration(clock.now() - job.startedAt)}`
  return { id, outcome: 'pausing', why: `${units(held)} allowed to finish${since}` }
}

function resumeOne(context: ServiceContext, id: string, commit: Commit): PausedJob {
  const { store, clock, supervisor } = context
  const outcome = store.resumeJob(id, clock.now())
  if (outcome.kind !== 'changed') return { id, ...unchanged(outcome, 'not paused') }
  commit.afterCommit(() => {
    for (const { fence } of outcome.held) supervisor.thaw(fence.unitId)
    context.jobClock.follow(outcome.job)
    context.throughput.resumed(id)
  })
  return { id, outcome: 'resumed', why: 'it goes on as soon as there is a slot' }
}

function goesOn({ dispatcher, clock }: ServiceContext, queue: string): string {
  const wait = dispatcher.waitOfQueue(queue)
  const look = 'queue_status {} shows how busy it is.'
  if (wait === null || wait === 'full' || !wait.isHeld) return `Its jobs go on as soon as there are slots; ${look}`
  return `It was told to slow down: its jobs go on in ${formatDuration(wait.heldUntil - clock.now())}; ${look}`
}

function units(held: readonly HeldUnit[]): string {
  return held.length === 1 ? 'the running unit is' : `${held.length} running units are`
}

function unchanged(
  outcome: Exclude<PauseOutcome, { kind: 'changed' }>,
  already: string,
): { readonly outcome: PausedJob['outcome']; readonly why: string } {
  switch (outcome.kind) {
    case 'not_found':
      return { outcome: 'not_found', why: 'no job has this id' }
    case 'already_final':
      return { outcome: 'already_final', why: 'it had ended before' }
    case 'cancelling':
      return { outcome: 'cancelling', why: 'it is being cancelled' }
    case 'unchanged':
      return { outcome: 'unchanged', why: `it was ${already} before` }
  }
}

function refuseUnknown(jobs: readonly PausedJob[]): void {
  const missing = jobs.filter((job) => job.outcome === 'not_found').map((job) => job.id)
  if (missing.length > 0 && missing.length === jobs.length) {
    throw new QueueError('job_not_found', `no job has the id ${missing.slice(0, 5).join(', ')}`)
  }
}

async function setQueuePaused(
  context: ServiceContext,
  name: string,
  choice: { readonly ids?: unknown; readonly filter?: unknown },
  paused: boolean,
): Promise<PauseAnswer> {
  if (choice.ids !== undefined || choice.filter !== undefined) {
    throw new QueueError('invalid_input', 'queue was given together with ids or filter', {
      remedy: 'Give queue alone, or jobs by ids or filter={"queue":"…"}.',
    })
  }
  const { store, clock, dispatcher, commits } = context
  if (!store.readQueues().some((queue) => queue.name === name)) {
    throw new QueueError('invalid_input', `there is no queue "${name}"`, {
      remedy: 'queue_status shows the queues; update_job {"queue":"…","queue_concurrency":null} makes one.',
    })
  }
  const { queue, isLifted } = await commits.run((commit) => {
    const now = clock.now()
    const ended = paused ? { holds: 0, units: 0 } : store.endLaneHolds(name, now)
    const changed = store.updateQueue(name, { paused }, now)
    commit.afterCommit(() => {
      dispatcher.reloadQueues()
      if (ended.holds + ended.units > 0) dispatcher.endHolds(name)
    })
    return { queue: changed, isLifted: ended.holds + ended.units > 0 }
  })
  return {
    jobs: [],
    queue: queueView(context, queue),
    has_more: false,
    next: paused
      ? `Nothing of it starts until resume_job {"queue":"${name}"}; what runs finishes.`
      : isLifted
        ? `It was told to slow down; that hold was lifted. ${goesOn(context, name)}`
        : goesOn(context, name),
  }
}
