import type { ErrorRecord } from './errors.ts'
import { formatDuration } from './format-duration.ts'
import { formatInstant } from './format-instant.ts'
import { type GpuWait, gpuWaitText } from './gpu-wait.ts'
import type { FinalJob, Job, UnitCounts } from './job.ts'
import { poisonLimit } from './retry-policy.ts'
import type { CancelReason } from './states.ts'
import type { DisplayStateName } from './wire/shared.ts'

/** What the state of a job depends on beside its row. Only `now` is needed; what is not known is left out. Times wall ms. */
export interface DisplayFacts {
  readonly now: number
  readonly units?: UnitFacts | undefined
  /** Slots of the executor that runs this type. */
  readonly slots?: { readonly total: number; readonly busy: number } | null | undefined
  readonly queuePaused?: boolean | undefined
  /** The lane is told to wait until then. */
  readonly rateLimitedUntil?: number | null | undefined
  /** The rate limit of its queue lets the next start then. */
  readonly queueRateUntil?: number | null | undefined
  /** The limit of its queue is reached. */
  readonly queueFull?: boolean | undefined
  /** Units of it wait for a GPU worker. */
  readonly gpuWait?: GpuWait | null | undefined
  /** Why nothing of its type can run now. */
  readonly typeProblem?: string | null | undefined
  /** As many of its type run as may. */
  readonly typeFull?: boolean | undefined
  /** Ms of silence of what runs, once it is worth telling. */
  readonly silentMs?: number | null | undefined
  /** Units that its sources will still add. */
  readonly unitsWaiting?: number | undefined
  /** Jobs it depends on and how many of them have ended. */
  readonly dependencies?: { readonly total: number; readonly ended: number } | null | undefined
  /** Between TERM and KILL. */
  readonly cancelGraceMs?: number | undefined
  /** A remote worker does not answer; the lease there ends by then. */
  readonly workerUnreachableUntil?: number | null | undefined
  /** Names of the remote workers that run units of it and do not answer. */
  readonly workersAway?: readonly string[] | undefined
  /** The manager starts nothing: its disk is below the free-space floor. */
  readonly diskFull?: boolean | undefined
  /** The manager starts nothing: it is stopping. */
  readonly draining?: boolean | undefined
}

export interface UnitFacts {
  /** Earliest time at which an available unit may start. */
  readonly nextAvailableAt?: number | null | undefined
  /** Available units that ran before and back off. */
  readonly retryingUnits?: number | undefined
  /** Failures that count against max_attempts, of the unit told about (the only one, or the last that failed). */
  readonly failures?: number | undefined
  /** Attempts of that unit that vanished. */
  readonly crashes?: number | undefined
  readonly lastError?: ErrorRecord | null | undefined
  readonly lastAttempt?: { readonly number: number; readonly exitCode: number | null } | null | undefined
}

export interface Display {
  readonly state: DisplayStateName
  /** One sentence without a full stop: why it is in this state, in numbers. */
  readonly why: string
}

const cancelWords: Readonly<Record<CancelReason, string>> = {
  user: 'asked to stop',
  unit_failed: 'too many units failed, so the rest was cancelled',
  deadline: 'its total timeout ran out',
  dependency: 'a job it depends on did not complete',
  rejected: 'rejected in review',
  overlap: 'its schedule allows one run at a time',
  source: 'the rest of its units could not be read',
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

/** What went wrong in a few words: an exit code where there was one. */
function cause(error: ErrorRecord | null | undefined, exitCode: number | null | undefined): string {
  if (error?.code === 'attempt_timed_out' || error?.code === 'poison') return error.message
  if (error?.code === 'worker_crashed') return 'its processes vanished'
  if (exitCode !== null && exitCode !== undefined) return `exit code ${exitCode}`
  return error?.message ?? 'an unknown error'
}

/** The same after the word "after". */
function causeOfRetry(units: UnitFacts): string {
  if (units.lastError?.code === 'attempt_timed_out') return 'a timeout'
  const what = cause(units.lastError, units.lastAttempt?.exitCode)
  return what === units.lastError?.message ? `an error: ${what}` : what
}

function span(job: FinalJob): string {
  return formatDuration(job.finishedAt - (job.startedAt ?? job.finishedAt))
}

function describeFinal(job: FinalJob, facts: DisplayFacts): Display {
  const { counts } = job
  const attempts = facts.units?.lastAttempt?.number ?? null
  switch (job.state) {
    case 'completed': {
      if (counts.failed > 0) {
        return {
          state: 'completed_with_failures',
          why: `completed in ${span(job)}; ${counts.failed} of ${count(counts.total, 'unit')} failed, as its failure budget allows`,
        }
      }
      if (counts.total > 1)
        return { state: 'completed', why: `completed in ${span(job)}: ${count(counts.total, 'unit')}` }
      const at = attempts !== null && attempts > 1 ? ` at attempt ${attempts}` : ''
      return { state: 'completed', why: `completed in ${span(job)}${at}` }
    }
    case 'failed': {
      const what = cause(job.error ?? facts.units?.lastError, facts.units?.lastAttempt?.exitCode)
      if (job.cancelReason === 'deadline')
        return { state: 'failed', why: `failed after ${span(job)}: ${cancelWords.deadline}` }
      if (counts.total > 1 && counts.failed === 0) return { state: 'failed', why: `failed in its final step: ${what}` }
      if (counts.total > 1) {
        const stopped = job.cancelReason === 'unit_failed' ? `; ${cancelWords.unit_failed}` : ''
        const failed = `${counts.failed} of ${counts.total} units failed`
        return { state: 'failed', why: `failed: ${failed}; the first: ${what}${stopped}` }
      }
      // Nothing ran: it was refused when its wait for a worker was over.
      if (attempts === null || job.error?.code === 'gpu_unavailable') return { state: 'failed', why: `failed: ${what}` }
      return { state: 'failed', why: `failed after ${count(attempts, 'attempt')}: ${what}` }
    }
    case 'cancelled': {
      const when = job.startedAt === null ? 'before it started' : `after ${span(job)}`
      const reason =
        job.cancelReason === null || job.cancelReason === 'user' ? '' : `: ${cancelWords[job.cancelReason]}`
      const unfed = facts.unitsWaiting ?? 0
      const rest = unfed === 0 ? '' : `; ${count(unfed, 'unit')} never added`
      return { state: 'cancelled', why: `cancelled ${when}${reason}${rest}` }
    }
  }
}

function describeCancelling(job: Job, requestedAt: number, facts: DisplayFacts): Display {
  const words = cancelWords[job.cancelReason ?? 'user']
  const since = `${words} ${formatDuration(facts.now - requestedAt)} ago`
  if (facts.workerUnreachableUntil !== null && facts.workerUnreachableUntil !== undefined) {
    return {
      state: 'cancelling',
      why: `${since}; worker unreachable, ends by ${formatInstant(facts.workerUnreachableUntil)}`,
    }
  }
  if (facts.cancelGraceMs === undefined) return { state: 'cancelling', why: since }
  const grace = formatDuration(facts.cancelGraceMs)
  return { state: 'cancelling', why: `${since}; its processes get ${grace} before they are killed` }
}

function describePaused(job: Job, pausedAt: number, now: number): Display {
  const since = `paused ${formatDuration(now - pausedAt)} ago`
  if (job.frozenAt !== null) return { state: 'paused', why: `${since}; its processes are stopped and keep their slot` }
  if (job.counts.running > 0) {
    const who =
      job.counts.total === 1 ? 'the running attempt is' : `${count(job.counts.running, 'unit')} still running are`
    return { state: 'pausing', why: `${since}; ${who} allowed to finish` }
  }
  return { state: 'paused', why: `${since}; resume it to go on` }
}

/** Null unless nothing runs and everything that could run waits for its next try. */
function describeRetrying(job: Job, facts: DisplayFacts): Display | null {
  const units = facts.units
  const next = units?.nextAvailableAt ?? null
  const waiting = units?.retryingUnits ?? 0
  if (units === undefined || next === null || next <= facts.now || waiting === 0 || job.counts.running > 0) return null
  const wait = formatDuration(next - facts.now)
  // No failure was spent: "retry 0 of 0" would be nonsense.
  if (units.lastError?.code === 'rate_limited') {
    return { state: 'rate_limited', why: `told to slow down; goes on in ${wait}` }
  }
  const what = causeOfRetry(units)
  if (job.counts.total > 1) {
    return { state: 'retrying', why: `${count(waiting, 'unit')} to retry, the next in ${wait}, after ${what}` }
  }
  if (units.lastError?.code === 'worker_crashed') {
    const losses = units.crashes === undefined ? '' : ` (${units.crashes} of ${poisonLimit} before it is given up)`
    return { state: 'retrying', why: `runs again in ${wait} after ${what}${losses}` }
  }
  const failures = units.failures ?? units.lastAttempt?.number ?? 1
  return { state: 'retrying', why: `retry ${failures} of ${job.maxAttempts - 1} in ${wait} after ${what}` }
}

function unitsSoFar(counts: UnitCounts): string {
  const ended = counts.completed + counts.failed + counts.cancelled
  return `${ended} of ${counts.total} units ended, ${counts.running} running, ${counts.available} waiting`
}

function describeRunning(job: Job & { state: 'running' }, facts: DisplayFacts): Display {
  const since = `running for ${formatDuration(facts.now - job.startedAt)}`
  const silence = (facts.silentMs == null ? '' : `; no output for ${formatDuration(facts.silentMs)}`) + awayText(facts)
  if (job.finalStep === 'running') {
    return {
      state: 'running',
      why: `${since}: all ${count(job.counts.total, 'unit')} ended, its final step runs${silence}`,
    }
  }
  const waiting = facts.unitsWaiting ?? 0
  if (job.counts.total > 1 || waiting > 0) {
    const adding = waiting === 0 ? '' : `, ${waiting} still to be added`
    const gpu = facts.gpuWait == null || facts.draining === true ? '' : `; ${gpuWaitText(facts.gpuWait)}`
    return { state: 'running', why: `${since}: ${unitsSoFar(job.counts)}${adding}${silence}${gpu}` }
  }
  const isOpen = job.sealedAt === null && job.counts.available + job.counts.running === 0
  if (isOpen) return { state: 'running', why: 'all its units ended; it is kept open for more' }
  const number = facts.units?.lastAttempt?.number ?? 1
  if (job.counts.running === 0) return { state: 'running', why: `between two attempts; ${waitReason(facts)}` }
  return { state: 'running', why: (number > 1 ? `${since}, attempt ${number}` : since) + silence }
}

function awayText({ workersAway: away = [] }: DisplayFacts): string {
  if (away.length === 0) return ''
  return away.length === 1
    ? `; GPU worker ${away[0]} does not answer`
    : `; GPU workers ${away.join(', ')} do not answer`
}

function describeHeld(job: Job, heldAt: number, facts: DisplayFacts): Display {
  const waited = `has waited ${formatDuration(facts.now - heldAt)}`
  if (job.holdKind === 'permission') {
    return { state: 'awaiting_approval', why: `${waited} for a person's permission` }
  }
  const { completed, failed } = job.counts
  const waiting = facts.unitsWaiting ?? 0
  const rest = waiting === 0 ? 'the rest' : `the other ${count(waiting, 'unit')}`
  const ended = `${completed} of ${count(completed + failed, 'test unit')} completed`
  return { state: 'awaiting_approval', why: `${waited} for approval of ${rest}: ${ended}` }
}

function waitReason(facts: DisplayFacts): string {
  if (facts.draining === true) return 'waits for the next manager: this one is stopping'
  if (facts.queueRateUntil != null && facts.queueRateUntil > facts.now) {
    return `waits for the rate limit of its queue: the next starts in ${formatDuration(facts.queueRateUntil - facts.now)}`
  }
  if (facts.queueFull === true) return 'waits for its queue: as many units run as its limit allows'
  if (facts.typeFull === true) return 'waits for its job type: as many run as its handler allows'
  if (facts.diskFull === true) return 'waits for disk space: it is below the floor under which nothing starts'
  if (facts.gpuWait != null) return gpuWaitText(facts.gpuWait)
  const slots = facts.slots
  if (slots !== null && slots !== undefined && slots.busy >= slots.total) {
    return `waits for a free slot: ${slots.busy} of ${slots.total} are busy`
  }
  return 'starts next'
}

/**
 * The one function that says in which state a job is, for people and models, and why.
 * @param job the stored row
 * @param facts what else is known at this moment
 */
export function displayState(job: Job, facts: DisplayFacts): Display {
  if (job.state === 'completed' || job.state === 'failed' || job.state === 'cancelled') return describeFinal(job, facts)
  // A cancel wins over everything that waits, a review included.
  if (job.cancelRequestedAt !== null) return describeCancelling(job, job.cancelRequestedAt, facts)
  if (job.heldAt !== null) {
    return describeHeld(job, job.heldAt, facts)
  }
  const pausedAt = job.pausedAt ?? job.frozenAt
  if (pausedAt !== null) return describePaused(job, pausedAt, facts.now)
  if (facts.queuePaused === true && job.counts.running === 0) {
    return { state: 'paused', why: `its queue "${job.queue}" is paused` }
  }
  const dependencies = facts.dependencies
  if (dependencies !== null && dependencies !== undefined && dependencies.ended < dependencies.total) {
    const left = dependencies.total - dependencies.ended
    return { state: 'blocked', why: `waits for ${left} of ${count(dependencies.total, 'job')} it depends on` }
  }
  if (facts.typeProblem != null && job.counts.running === 0) {
    return { state: 'blocked', why: `its job type "${job.type}" cannot run now: ${facts.typeProblem}` }
  }
  if (job.state === 'queued' && job.runAt > facts.now) {
    return {
      state: 'scheduled',
      why: `starts in ${formatDuration(job.runAt - facts.now)}, at ${formatInstant(job.runAt)}`,
    }
  }
  const retrying = describeRetrying(job, facts)
  if (retrying !== null) return retrying
  const limited = facts.rateLimitedUntil
  if (limited !== null && limited !== undefined && limited > facts.now && job.counts.running === 0) {
    return { state: 'rate_limited', why: `told to slow down; goes on in ${formatDuration(limited - facts.now)}` }
  }
  if (job.state === 'running') return describeRunning(job, facts)
  if (job.sealedAt === null && job.counts.available === 0) {
    return { state: 'queued', why: job.keepOpen ? 'kept open: waits for units' : 'its units are being added' }
  }
  return { state: 'queued', why: waitReason(facts) }
}
