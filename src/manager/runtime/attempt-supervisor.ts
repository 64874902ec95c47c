import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Clock } from '../../domain/clock.ts'
import { type ErrorRecord, QueueError } from '../../domain/errors.ts'
import type { Fence, Job, JobOptions, Progress, RunnerIdentity } from '../../domain/job.ts'
import type { CommandEnd, CommandExecutor, LiveCommand, StopReason } from '../../domain/ports/executor.ts'
import type { HeldUnit, JobStore, UnitEnd } from '../../domain/ports/job-store.ts'
import { commandTask } from './command-task.ts'
import type { CommitQueue } from './commit-queue.ts'
import type { Claim, Dispatcher } from './dispatcher.ts'
import { type Estimate, Estimator } from './estimator.ts'
import { recordEnd } from './record-end.ts'

interface Supervised {
  readonly fence: Fence
  readonly jobId: string
  readonly options: JobOptions
  /** Failures of the unit before this attempt. */
  readonly failures: number
  live: LiveCommand | null
  progress: Progress | null
  progressStored: boolean
  readonly estimator: Estimator
}

export interface AttemptSupervisorOptions {
  readonly store: JobStore
  readonly commits: CommitQueue
  readonly executor: CommandExecutor
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

  /** Starts a claimed unit; its claim is committed. */
  start(claim: Claim): void {
    const fence: Fence = {
      unitId: claim.unit.id,
      attempt: claim.unit.attempt,
      nonce: claim.unit.nonce,
      workerId: claim.unit.workerId,
    }
    const supervised = this.#supervise(fence, claim.job, claim.unit.failures)
    if (supervised === null) return
    try {
      const task = commandTask(this.#options.store, claim.job.id, fence, supervised.options, 0)
      supervised.live = this.#options.executor.start(task, this.#observer(supervised))
    } catch (error) {
      this.#refuse(supervised, error)
    }
  }

  /** Takes over an attempt of an earlier manager; it holds a slot until its end is recorded. */
  adopt(held: HeldUnit): void {
    if (this.#attempts.has(held.fence.unitId)) return
    const supervised = this.#supervise(held.fence, held.job, held.failures)
    if (supervised === null) return
    this.#dispatcher?.occupySlot(held.fence.unitId)
    try {
      const task = commandTask(this.#options.store, held.job.id, held.fence, supervised.options, held.elapsedMs)
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
    this.#attempts.get(unitId)?.live?.stop(reason)
  }

  isSupervised(unitId: string): boolean {
    return this.#attempts.has(unitId)
  }

  /** True while an attempt of that job is in this manager's hands; true before the submit that caused it is answered. */
  runsJob(jobId: string): boolean {
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

  #supervise(fence: Fence, job: Job, failures: number): Supervised | null {
    const payload = this.#options.store.readJobPayload(job.id)
    if (payload === null) return null
    const supervised: Supervised = {
      fence,
      jobId: job.id,
      options: payload.options,
      failures,
      live: null,
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
          const ended = recordEnd(store, supervised, end, { now: clock.now(), random })
          // Free within this transaction, so that the next claim shares its commit.
          this.#dispatcher?.releaseSlot(unitId)
          commit.afterFailure(() => this.#dispatcher?.occupySlot(unitId))
          if (ended === null) log.warn({ unit: unitId, end: end.kind }, 'the lease was lost; the outcome is dropped')
          else this.#afterEnd(ended)
          commit.afterCommit(() => this.#attempts.delete(unitId))
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

  #afterEnd(ended: UnitEnd): void {
    if (ended.settled || ended.job.counts.available === 0) return
    const dueAt = ended.unit.state === 'available' ? ended.unit.availableAt : this.#options.clock.now()
    this.#dispatcher?.offer(ended.job, dueAt)
  }
}
