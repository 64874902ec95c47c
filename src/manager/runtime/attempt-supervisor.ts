import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Clock } from '../../domain/clock.ts'
import { type ErrorRecord, QueueError } from '../../domain/errors.ts'
import type { Fence, Job, JobOptions, Progress, RunnerIdentity, RunningUnit } from '../../domain/job.ts'
import type { CommandEnd, CommandExecutor, CommandTask, LiveCommand, StopReason } from '../../domain/ports/executor.ts'
import type { HeldUnit, JobStore, UnitEnd } from '../../domain/ports/job-store.ts'
import type { Lane } from '../../domain/ports/lane-store.ts'
import type { TaskState } from './command-task.ts'
import type { CommitQueue } from './commit-queue.ts'
import type { Claim, Dispatcher } from './dispatcher.ts'
import { type Estimate, Estimator } from './estimator.ts'
import { recordEnd } from './record-end.ts'

interface Supervised {
  readonly fence: Fence
  readonly jobId: string
  readonly lane: Lane
  readonly options: JobOptions
  /** Failures of the unit before this attempt. */
  readonly failures: number
  live: LiveCommand | null
  /** Asked for before it was started. */
  stopReason: StopReason | null
  progress: Progress | null
  progressStored: boolean
  readonly estimator: Estimator
}

export interface AttemptSupervisorOptions {
  readonly store: JobStore
  readonly commits: CommitQueue
  readonly executor: CommandExecutor
  /** @throws QueueError when the unit's input does not fit the job's placeholders */
  readonly makeTask: (job: Job, unit: RunningUnit, state: TaskState) => CommandTask
  /** Writes all results of a job for its final step. @returns the file */
  readonly writeResults: (jobId: string) => Promise<string>
  readonly resultsFileOf: (jobId: string) => string
  /** An attempt begins; after the commit of its claim. */
  readonly onStarted: (job: Job, options: JobOptions) => void
  /** An attempt has ended; after the commit. */
  readonly onEnded: (end: UnitEnd, elapsedMs: number) => void
  readonly clock: Clock
  readonly random: () => number
  readonly log: Logger
}

/** Longest time a machine that cannot start processes is left alone. */
const spawnBackOffMs = 1_000
const storageRetryMs = 250

/** Owns every attempt that runs in this manager: starts or adopts it, keeps its progress, records its end exactly once. */
export class AttemptSupervisor {
  readonly #options: AttemptSupervisorOptions
  readonly #attempts = new Map<string, Supervised>()
  readonly #recording = new Set<Promise<void>>()
  #dispatcher: Dispatcher | null = null
  #detached = false

  constructor(options: AttemptSupervisorOptions) {
    this.#options = options
  }

  /** The dispatcher and this class need each other; the composition root joins them. */
  attachDispatcher(dispatcher: Dispatcher): void {
    this.#dispatcher = dispatcher
  }

  /** Starts claimed units; their claim is committed. */
  start(claims: readonly Claim[]): void {
    for (const claim of claims) this.#start(claim)
  }

  #start(claim: Claim): void {
    const fence: Fence = {
      unitId: claim.unit.id,
      attempt: claim.unit.attempt,
      nonce: claim.unit.nonce,
      workerId: claim.unit.workerId,
    }
    const { job, unit } = claim
    const supervised = this.#supervise(fence, job, unit.limitKey, unit.failures)
    if (supervised === null) return
    this.#options.onStarted(job, supervised.options)
    if (!unit.finalStep) {
      this.#launch(supervised, claim, null)
      return
    }
    this.#options.writeResults(job.id).then(
      (file) => this.#launch(supervised, claim, file),
      (error: unknown) => this.#refuse(supervised, error),
    )
  }

  #launch(supervised: Supervised, { job, unit }: Claim, resultsFile: string | null): void {
    if (this.#detached) return
    const { stopReason } = supervised
    if (stopReason !== null) {
      const output = { bytes: 0, droppedBytes: 0, tail: '' }
      this.#observer(supervised).ended({ kind: 'stopped', reason: stopReason, survivors: [], elapsedMs: 0, output })
      return
    }
    try {
      // The job may have been frozen while the results were being written.
      const { frozenAt } = (resultsFile === null ? null : this.#options.store.readJob(job.id)) ?? job
      const task = this.#options.makeTask(job, unit, { elapsedMs: 0, frozen: frozenAt !== null, resultsFile })
      supervised.live = this.#options.executor.start(task, this.#observer(supervised))
    } catch (error) {
      this.#refuse(supervised, error)
    }
  }

  /** Takes over an attempt of an earlier manager; it holds a slot until its end is recorded. */
  adopt(held: HeldUnit): void {
    if (this.isSupervised(held.fence.unitId)) return
    this.#dispatcher?.occupySlot(held)
    const supervised = this.#supervise(held.fence, held.job, held.limitKey, held.failures)
    if (supervised === null) return
    try {
      const unit = runningUnit(this.#options.store, held)
      const frozen = held.job.frozenAt !== null
      const resultsFile = unit.finalStep ? this.#options.resultsFileOf(held.job.id) : null
      const task = this.#options.makeTask(held.job, unit, { elapsedMs: held.elapsedMs, frozen, resultsFile })
      supervised.live = this.#options.executor.adopt(task, held.runner, this.#observer(supervised))
      // Read again: a cancel may have been committed since the held units were read.
      const job = this.#options.store.readJob(held.job.id)
      if (job?.cancelRequestedAt != null) supervised.live.stop('cancel')
    } catch (error) {
      this.#refuse(supervised, error)
    }
  }

  /** Asks a running attempt to stop; the end is recorded when its processes are gone. */
  stop(unitId: string, reason: StopReason): void {
    const attempt = this.#attempts.get(unitId)
    if (attempt === undefined) return
    attempt.stopReason ??= reason
    attempt.live?.stop(reason)
  }

  /** Suspends a running attempt where it is; its clocks stop. */
  freeze(unitId: string): void {
    this.#attempts
      .get(unitId)
      ?.live?.freeze()
      .catch((error: unknown) => this.#tellFreeze(unitId, error))
  }

  thaw(unitId: string): void {
    this.#attempts
      .get(unitId)
      ?.live?.thaw()
      .catch((error: unknown) => this.#tellFreeze(unitId, error))
  }

  #tellFreeze(unitId: string, error: unknown): void {
    this.#options.log.error({ err: error, unit: unitId }, 'an attempt could not be suspended or continued')
  }

  isSupervised(unitId: string): boolean {
    return this.#attempts.has(unitId)
  }

  /** The running command of a unit, or null when it runs elsewhere or not at all. */
  liveOf(unitId: string): LiveCommand | null {
    return this.#attempts.get(unitId)?.live ?? null
  }

  /** Ms since the last output of any running command of a job; null when none runs here. */
  silenceOf(jobId: string): number | null {
    let shortest: number | null = null
    for (const attempt of this.#attempts.values()) {
      if (attempt.jobId !== jobId || attempt.live === null) continue
      shortest = Math.min(shortest ?? Number.POSITIVE_INFINITY, attempt.live.silentMs())
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
    const fresh = [...this.#attempts.values()].filter((attempt) => !attempt.progressStored && attempt.live !== null)
    if (fresh.length === 0) return
    for (const attempt of fresh) attempt.progressStored = true
    void commits
      .run(() => {
        for (const attempt of fresh) {
          store.recordProgressIfHeld(attempt.fence, attempt.progress, attempt.live?.elapsedMs() ?? 0, clock.now())
        }
      })
      .catch((error: unknown) =>
        this.#options.log.warn({ err: error }, 'progress could not be stored; the next one will be'),
      )
  }

  /** Resolves when every end that was told is recorded. */
  async settled(): Promise<void> {
    while (this.#recording.size > 0) await Promise.all(this.#recording)
  }

  /** Leaves every running attempt to the next manager. */
  detach(): void {
    this.#detached = true
    this.#options.executor.detach()
  }

  #supervise(fence: Fence, job: Job, limitKey: string | null, failures: number): Supervised | null {
    const payload = this.#options.store.readJobPayload(job.id)
    if (payload === null) return null
    const supervised: Supervised = {
      fence,
      jobId: job.id,
      lane: { queue: job.queue, key: limitKey ?? '' },
      options: payload.options,
      failures,
      live: null,
      stopReason: null,
      progress: null,
      progressStored: true,
      estimator: new Estimator(),
    }
    this.#attempts.set(fence.unitId, supervised)
    return supervised
  }

  #observer(supervised: Supervised) {
    return {
      started: (runner: RunnerIdentity) => this.#recordRunner(supervised, runner),
      progressed: (progress: Progress) => {
        supervised.progress = progress
        supervised.progressStored = false
        supervised.estimator.add(progress, this.#options.clock.monotonic())
      },
      ended: (end: CommandEnd) => {
        if (this.#detached) return
        const recording = this.#record(supervised, end)
        this.#recording.add(recording)
        void recording.finally(() => this.#recording.delete(recording))
      },
    }
  }

  #refuse(supervised: Supervised, error: unknown): void {
    const record: ErrorRecord =
      error instanceof QueueError
        ? { code: error.code, message: error.message, remedy: error.remedy }
        : {
            code: 'internal',
            message: error instanceof Error ? error.message : String(error),
            remedy: 'Look at nightkiln manager logs.',
          }
    this.#options.log.error({ err: error, unit: supervised.fence.unitId }, 'attempt could not be started')
    this.#observer(supervised).ended({ kind: 'not_started', error: record, elapsedMs: 0 })
  }

  #recordRunner(supervised: Supervised, runner: RunnerIdentity): void {
    const { commits, store, log } = this.#options
    // Not awaited: until it is stored the runner's own pid file says the same.
    void commits
      .run(() => store.recordRunnerIfHeld(supervised.fence, runner))
      .catch((error: unknown) => log.warn({ err: error }, 'runner could not be recorded; its pid file serves instead'))
  }

  /** Tries until the storage takes it or the fence refuses it: a result is never dropped because a disk was full for a while. */
  async #record(supervised: Supervised, end: CommandEnd): Promise<void> {
    const { commits, store, clock, random, log } = this.#options
    const unitId = supervised.fence.unitId
    for (let round = 1; !this.#detached; round += 1) {
      try {
        await commits.run((commit) => {
          if (supervised.progress !== null && !supervised.progressStored) {
            store.recordProgressIfHeld(supervised.fence, supervised.progress, end.elapsedMs, clock.now())
          }
          const recorded = recordEnd(store, supervised, end, { now: clock.now(), random })
          // Free within this transaction, so that the next claim shares its commit.
          const undo = this.#dispatcher?.releaseSlot(unitId)
          commit.afterFailure(() => undo?.())
          if (recorded === null) log.warn({ unit: unitId, end: end.kind }, 'the lease was lost; the outcome is dropped')
          else if (recorded.heldUntil !== null) this.#holdLane(supervised.lane, recorded.heldUntil)
          commit.afterCommit(() => {
            this.#attempts.delete(unitId)
            if (recorded !== null) this.#options.onEnded(recorded.ended, end.elapsedMs)
          })
        })
        if (end.kind === 'released') this.#dispatcher?.backOff(spawnBackOffMs)
        log.info(
          { unit: unitId, job: supervised.jobId, attempt: supervised.fence.attempt, end: end.kind },
          'attempt ended',
        )
        return
      } catch (error) {
        log.error({ err: error, unit: unitId, round }, 'outcome could not be recorded yet')
        await delay(Math.min(5_000, storageRetryMs * round))
      }
    }
  }

  /** A remote side said "slow down": the others of the lane would hear the same. */
  #holdLane(lane: Lane, until: number): void {
    const { store, clock } = this.#options
    store.holdLane({ ...lane, until, reason: 'told to slow down' }, clock.now())
    this.#dispatcher?.holdLane(lane, until)
  }
}

function runningUnit(store: JobStore, held: HeldUnit): RunningUnit {
  const unit = store.readUnit(held.fence.unitId)
  if (unit?.state === 'running') return unit
  throw new QueueError('internal', `unit ${held.fence.unitId} is held but not running`)
}
