import type { Logger } from 'pino'
import type { Clock } from '../../domain/clock.ts'
import { QueueError, toErrorRecord } from '../../domain/errors.ts'
import type { Fence, Job, JobOptions, Progress, RunnerIdentity, RunningUnit } from '../../domain/job.ts'
import type { AttemptControl, AttemptEnd, StopReason } from '../../domain/ports/attempt.ts'
import type { HeldUnit, JobPayload, JobStore } from '../../domain/ports/job-store.ts'
import type { ExecutorKind } from '../../domain/states.ts'
import type { Device } from '../../domain/wire/prediction.ts'
import type { AttemptStarter } from './attempt-starter.ts'
import { fenceOf } from './command-task.ts'
import type { CommitQueue } from './commit-queue.ts'
import type { Dispatcher } from './dispatcher.ts'
import { type EndedUnits, EndRecorder } from './end-recorder.ts'
import type { Estimate } from './estimator.ts'
import type { Claim } from './pool.ts'
import { type AttemptEvents, Supervised } from './supervised.ts'

export interface AttemptSupervisorOptions {
  readonly store: JobStore
  readonly commits: CommitQueue
  /** Executors whose attempts outlive the commit of their claim. */
  readonly starters: ReadonlyMap<ExecutorKind, AttemptStarter>
  /** Writes all results of a job for its final step. @returns the file */
  readonly writeResults: (jobId: string) => Promise<string>
  readonly resultsFileOf: (jobId: string) => string
  /** Attempts of a job begin; after the commit of their claim. */
  readonly onStarted: (job: Job, options: JobOptions) => void
  readonly onEnded: (ended: EndedUnits) => void
  readonly checkpointFormatOf: (type: string) => string | null
  /** Looks at the handlers again: one of them could not be loaded. */
  readonly lookAgain: () => Promise<void>
  readonly clock: Clock
  readonly random: () => number
  readonly log: Logger
}

const nothing = { bytes: 0, droppedBytes: 0, tail: '' }

/** Owns every attempt that runs in this manager: begins or adopts it, keeps its progress, has its end recorded exactly once. */
export class AttemptSupervisor implements AttemptEvents {
  readonly #options: AttemptSupervisorOptions
  readonly #attempts = new Map<string, Supervised>()
  readonly #recorder: EndRecorder
  #dispatcher: Dispatcher | null = null
  #detached = false

  constructor(options: AttemptSupervisorOptions) {
    this.#options = options
    const { store, commits, clock, random, log, onEnded, checkpointFormatOf, lookAgain } = options
    this.#recorder = new EndRecorder({
      store,
      commits,
      clock,
      random,
      log,
      onEnded,
      checkpointFormatOf,
      lookAgain,
      releaseSlot: (unitId) => this.#dispatcher?.releaseSlot(unitId) ?? (() => undefined),
      holdLane: (lane, until) => this.#dispatcher?.holdLane(lane, until),
      backOff: (ms) => this.#dispatcher?.backOff(ms),
      onRecorded: (attempts) => this.#forget(attempts),
    })
  }

  /** The dispatcher and this class need each other; the composition root joins them. */
  attachDispatcher(dispatcher: Dispatcher): void {
    this.#dispatcher = dispatcher
  }

  /** Begins claimed units of one job; their claim is committed. */
  start(executor: ExecutorKind, claims: readonly Claim[]): void {
    const job = claims[0]?.job
    const payload = job === undefined ? null : this.#options.store.readJobPayload(job.id)
    if (job === undefined || payload === null) return
    const attempts = claims.map(({ unit }) => this.#supervise(job, unit, fenceOf(unit), payload))
    this.#options.onStarted(job, payload.options)
    // The final step is alone: it runs when all others have ended.
    if (claims[0]?.unit.finalStep !== true) {
      this.#begin(executor, job, payload, attempts, null)
      return
    }
    this.#options.writeResults(job.id).then(
      (file) => this.#begin(executor, job, payload, attempts, file),
      (error: unknown) => {
        for (const attempt of attempts) this.refused(attempt, error)
      },
    )
  }

  /** Takes over an attempt of an earlier manager; it holds a slot until its end is recorded. */
  adopt(held: HeldUnit): void {
    if (this.isSupervised(held.fence.unitId)) return
    this.#dispatcher?.occupySlot(held)
    const { store, resultsFileOf } = this.#options
    const unit = store.readUnit(held.fence.unitId)
    const payload = store.readJobPayload(held.job.id)
    if (payload === null || unit?.state !== 'running') return
    // Read again: a cancel may have been committed since the held units were read.
    const isCancelled = store.readJob(held.job.id)?.cancelRequestedAt != null
    const attempt = this.#supervise(held.job, unit, held.fence, payload)
    try {
      const resultsFile = unit.finalStep ? resultsFileOf(held.job.id) : null
      this.#starterOf(held.executor).adopt(held, payload, attempt, resultsFile)
      if (isCancelled) attempt.stop('cancel')
    } catch (error) {
      this.refused(attempt, error)
    }
  }

  /** Asks a running attempt to stop; the end is recorded when its processes are gone. */
  stop(unitId: string, reason: StopReason): void {
    this.#attempts.get(unitId)?.stop(reason)
  }

  /** Suspends a running attempt where it is; its clocks stop. */
  freeze(unitId: string): void {
    this.liveOf(unitId)
      ?.freeze()
      .catch((error: unknown) => this.#tellFreeze(unitId, error))
  }

  thaw(unitId: string): void {
    this.liveOf(unitId)
      ?.thaw()
      .catch((error: unknown) => this.#tellFreeze(unitId, error))
  }

  isSupervised(unitId: string): boolean {
    return this.#attempts.has(unitId)
  }

  /** The running attempt of a unit, or null when it runs elsewhere or not at all. */
  liveOf(unitId: string): AttemptControl | null {
    return this.#attempts.get(unitId)?.live ?? null
  }

  /** Ms since the last sign of any running attempt of a job; null when none runs here. */
  silenceOf(jobId: string): number | null {
    let shortest: number | null = null
    for (const attempt of this.#attempts.values()) {
      if (attempt.jobId !== jobId || attempt.live === null) continue
      const silentMs = attempt.live.silentMs()
      if (silentMs !== null) shortest = Math.min(shortest ?? silentMs, silentMs)
    }
    return shortest
  }

  /** False when surely no attempt of that job is in this manager's hands. */
  mayRunJob(jobId: string): boolean {
    for (const attempt of this.#attempts.values()) if (attempt.jobId === jobId) return true
    return false
  }

  get running(): number {
    return this.#attempts.size
  }

  runningUnitIds(): string[] {
    return [...this.#attempts.keys()]
  }

  /** The newest progress, fresher than what is stored. */
  progressOf(unitId: string): Progress | null {
    return this.#attempts.get(unitId)?.progress ?? null
  }

  /** Time left of a running attempt, with a range, or null and why. */
  estimateOf(unitId: string): Estimate | null {
    return this.#attempts.get(unitId)?.estimator.estimate(this.#options.clock.monotonic()) ?? null
  }

  /** Stores the progress that is newer than what the database has; called every few seconds. */
  storeProgress(): void {
    const { store, clock, commits } = this.#options
    const fresh = [...this.#attempts.values()].filter((attempt) => !attempt.isProgressStored && attempt.live !== null)
    if (fresh.length === 0) return
    for (const attempt of fresh) attempt.isProgressStored = true
    void commits
      .run(() => {
        for (const { fence, progress, live } of fresh) {
          store.recordProgressIfHeld(fence, progress, live?.elapsedMs() ?? 0, clock.now())
        }
      })
      .catch((error: unknown) =>
        this.#options.log.warn({ err: error }, 'progress could not be stored; the next one will be'),
      )
  }

  /** Resolves when every end that was told is recorded. */
  settled(): Promise<void> {
    return this.#recorder.settled()
  }

  /** Leaves every running attempt to the next manager. */
  detach(): void {
    this.#detached = true
    this.#recorder.detach()
    for (const starter of this.#options.starters.values()) starter.detach()
  }

  monotonic(): number {
    return this.#options.clock.monotonic()
  }

  started({ fence }: Supervised, runner: RunnerIdentity): void {
    const { commits, store, log } = this.#options
    // Not awaited: until it is stored the runner's own pid file says the same.
    void commits
      .run(() => store.recordRunnerIfHeld(fence, runner))
      .catch((error: unknown) => log.warn({ err: error }, 'runner could not be recorded; its pid file serves instead'))
  }

  /** On this machine: its mode stays as it is. */
  computesOn({ fence }: Supervised, device: Device): void {
    const { commits, store, log } = this.#options
    void commits
      .run(() => store.recordDeviceIfHeld(fence, device.name, null))
      .catch((error: unknown) => log.warn({ err: error, unit: fence.unitId }, 'its device could not be recorded'))
  }

  ended(attempt: Supervised, end: AttemptEnd): void {
    this.#recorder.record(attempt, end)
  }

  refused(attempt: Supervised, error: unknown): void {
    this.#options.log.error({ err: error, unit: attempt.fence.unitId }, 'attempt could not be started')
    attempt.ended(endOfRefused(error))
  }

  #begin(
    executor: ExecutorKind,
    job: Job,
    payload: JobPayload,
    attempts: readonly Supervised[],
    resultsFile: string | null,
  ): void {
    if (this.#detached) return
    const wanted = attempts.filter(({ stopReason }) => stopReason === null)
    for (const attempt of attempts) {
      if (attempt.stopReason === null) continue
      attempt.ended({ kind: 'stopped', reason: attempt.stopReason, survivors: [], elapsedMs: 0, output: nothing })
    }
    if (wanted.length === 0) return
    try {
      this.#starterOf(executor).start(job, payload, wanted, resultsFile)
    } catch (error) {
      for (const attempt of wanted) if (attempt.live === null) this.refused(attempt, error)
    }
  }

  #supervise(job: Job, unit: RunningUnit, fence: Fence, payload: JobPayload): Supervised {
    const supervised = new Supervised(job, unit, fence, payload.options, this)
    this.#attempts.set(fence.unitId, supervised)
    return supervised
  }

  #starterOf(executor: ExecutorKind): AttemptStarter {
    const starter = this.#options.starters.get(executor)
    if (starter === undefined) throw new QueueError('internal', `nothing runs attempts of the kind ${executor}`)
    return starter
  }

  #forget(attempts: readonly Supervised[]): void {
    for (const attempt of attempts) {
      const { unitId } = attempt.fence
      if (this.#attempts.get(unitId) === attempt) this.#attempts.delete(unitId)
    }
    for (const starter of this.#options.starters.values()) starter.acknowledge(attempts.map(({ fence }) => fence))
  }

  #tellFreeze(unitId: string, error: unknown): void {
    this.#options.log.error({ err: error, unit: unitId }, 'an attempt could not be suspended or continued')
  }
}

const passingFaults: ReadonlySet<string> = new Set(['storage_busy', 'storage_full', 'outcome_unknown'])

/** What may be over soon gives the unit back; everything else would end the same way again. */
function endOfRefused(error: unknown): AttemptEnd {
  const record = toErrorRecord(error)
  const { code, message } = record
  if (code === 'handler_unavailable')
    return { kind: 'released', message, backOff: false, unavailable: true, elapsedMs: 0 }
  if (passingFaults.has(code)) return { kind: 'released', message, backOff: true, elapsedMs: 0 }
  return { kind: 'not_started', error: record, elapsedMs: 0 }
}
