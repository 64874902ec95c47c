import { type Display, type DisplayFacts, displayState, type UnitFacts } from '../../domain/display-state.ts'
import type { Attempt, Job, Unit } from '../../domain/job.ts'
import type { Dependency } from '../../domain/ports/job-store.ts'
import { gpuRunFactsOf } from './gpu-run-facts.ts'
import { gpuFactsOf } from './gpu-wait-facts.ts'
import type { ServiceContext } from './service-context.ts'

/** Shorter silence is not worth telling. */
const shortestSilenceMs = 60_000

/** What is read of a job beside its row to show it. */
export interface JobFacts {
  /** The one unit of a plain job; null while nothing ran, which saves the reads on the submit path. */
  readonly unit: Unit | null
  readonly attempts: readonly Attempt[]
  readonly unitsWaiting: number
  readonly dependencies: readonly Dependency[]
  /** Ms of silence of the running commands that has become worth telling; null: none. */
  readonly silentMs: number | null
  readonly display: Display
}

/** @returns what is known of a job at this moment, and the state it is shown in. */
export function jobFacts(context: ServiceContext, job: Job): JobFacts {
  const { store } = context
  const unit = isPlain(job) && job.startedAt !== null ? (store.readUnits(job.id, { limit: 1 })[0] ?? null) : null
  const attempts = unit === null ? [] : store.readAttempts(unit.id)
  const mayHaveUnfed = job.finishedAt === null ? job.sealedAt === null : job.cancelReason !== null
  const unitsWaiting = mayHaveUnfed ? store.readSourceTotals(job.id).waiting : 0
  const dependencies = job.openDependencies > 0 ? store.readDependencies(job.id) : []
  const silentMs = silenceOf(context, job)
  const facts = { unit, attempts, unitsWaiting, dependencies, silentMs }
  return { ...facts, display: displayState(job, displayFacts(context, job, facts)) }
}

function isPlain(job: Job): boolean {
  return job.counts.total === 1 && job.sealedAt !== null
}

function displayFacts(context: ServiceContext, job: Job, facts: Omit<JobFacts, 'display'>): DisplayFacts {
  const { clock, dispatcher, store, storage } = context
  const common = {
    now: clock.now(),
    units: unitFacts(facts),
    unitsWaiting: facts.unitsWaiting,
    silentMs: facts.silentMs,
    draining: context.isDraining(),
  }
  if (job.finishedAt !== null) return common
  const wait = dispatcher.waitOfQueue(job.queue)
  const { dependencies } = facts
  return {
    ...common,
    slots: dispatcher.slotsOf(job.type),
    ...gpuFactsOf(context, job),
    diskFull: !storage.healthy,
    queuePaused: dispatcher.isQueuePaused(job.queue),
    queueFull: wait === 'full',
    typeProblem: context.jobTypes.problemOf(job.type),
    typeFull: dispatcher.isTypeFull(job.type),
    rateLimitedUntil: wait === null || wait === 'full' || !wait.isHeld ? null : wait.heldUntil,
    queueRateUntil: wait === null || wait === 'full' || wait.isHeld ? null : wait.heldUntil,
    dependencies:
      dependencies.length === 0
        ? null
        : { total: dependencies.length, ended: dependencies.filter(({ state }) => state !== null).length },
    ...(job.cancelRequestedAt === null ? {} : { cancelGraceMs: store.readJobPayload(job.id)?.options.cancelGraceMs }),
    ...gpuRunFactsOf(context, job),
  }
}

function unitFacts({ unit, attempts }: Pick<JobFacts, 'unit' | 'attempts'>): UnitFacts | undefined {
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

/** One of its commands that talks shows that the job lives. */
function silenceOf({ supervisor }: ServiceContext, job: Job): number | null {
  const silentMs = job.finishedAt === null ? supervisor.silenceOf(job.id) : null
  return silentMs !== null && silentMs >= shortestSilenceMs ? silentMs : null
}
