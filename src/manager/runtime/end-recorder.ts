import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Clock } from '../../domain/clock.ts'
import type { Job } from '../../domain/job.ts'
import type { AttemptEnd } from '../../domain/ports/attempt.ts'
import type { JobStore } from '../../domain/ports/job-store.ts'
import type { Lane } from '../../domain/ports/lane-store.ts'
import type { Commit, CommitQueue } from './commit-queue.ts'
import { recordEnd } from './record-end.ts'
import type { Supervised } from './supervised.ts'
import { UnloadableHandlers } from './unloadable-handlers.ts'

/** Attempts of one job that have ended; after the commit. */
export interface EndedUnits {
  /** After the change. */
  readonly job: Job
  readonly units: number
  /** True when its final step was among them and will not run again. */
  readonly finalStepDone: boolean
}

export interface EndRecorderOptions {
  readonly store: JobStore
  readonly commits: CommitQueue
  readonly clock: Clock
  readonly random: () => number
  readonly log: Logger
  /** Of what the handler of a type saves; null: its handler is gone. */
  readonly checkpointFormatOf: (type: string) => string | null
  /** Takes a slot back. @returns a way to undo it, for a transaction that fails */
  readonly releaseSlot: (unitId: string) => () => void
  readonly holdLane: (lane: Lane, until: number) => void
  /** The machine cannot start anything now. */
  readonly backOff: (ms: number) => void
  /** Looks at the handlers again. */
  readonly lookAgain: () => Promise<void>
  /** The ends of these attempts are committed, or the fence refused them. */
  readonly onRecorded: (attempts: readonly Supervised[]) => void
  readonly onEnded: (ended: EndedUnits) => void
}

type Completion = Extract<AttemptEnd, { kind: 'completed' }>
interface Completed {
  readonly attempt: Supervised
  readonly end: Completion
}

const spawnBackOffMs = 1_000
const storageRetryMs = 250

/**
 * Records the end of attempts: each exactly once, trying until the storage takes it or the fence refuses it. A result is never
 * dropped because a disk was full for a while. Handlers that completed in the same turn are recorded together.
 */
export class EndRecorder {
  readonly #options: EndRecorderOptions
  readonly #recording = new Set<Promise<void>>()
  readonly #unloadable: UnloadableHandlers
  #completed: Completed[] = []
  #detached = false

  constructor(options: EndRecorderOptions) {
    this.#options = options
    const { clock, lookAgain, log } = options
    this.#unloadable = new UnloadableHandlers({
      clock,
      lookAgain: () =>
        lookAgain().catch((error: unknown) => log.warn({ err: error }, 'the handlers could not be looked at')),
    })
  }

  record(attempt: Supervised, end: AttemptEnd): void {
    if (this.#detached) return
    if (end.kind === 'released' && end.unavailable === true) {
      const judged = this.#unloadable.judge(attempt.fence.unitId, end)
      this.#keep(judged.then((recorded) => this.#recordOne(attempt, recorded)))
      return
    }
    this.#unloadable.forget(attempt.fence.unitId)
    if (end.kind !== 'completed') {
      this.#keep(this.#recordOne(attempt, end))
      return
    }
    if (this.#completed.length === 0) queueMicrotask(() => this.#flush())
    this.#completed.push({ attempt, end })
  }

  /** Resolves when every end that was told is recorded. */
  async settled(): Promise<void> {
    while (this.#recording.size > 0) await Promise.all(this.#recording)
  }

  /** What is not recorded yet is left to the next manager. */
  detach(): void {
    this.#detached = true
  }

  #flush(): void {
    const completed = this.#completed
    this.#completed = []
    this.#keep(this.#recordCompleted(completed))
  }

  #keep(recording: Promise<void>): void {
    this.#recording.add(recording)
    void recording.finally(() => this.#recording.delete(recording))
  }

  async #recordOne(attempt: Supervised, end: AttemptEnd): Promise<void> {
    const { backOff, log } = this.#options
    const isRecorded = await this.#persist([attempt], (commit) => this.#writeOne(attempt, end, commit))
    if (!isRecorded) return
    if (end.kind === 'released' && end.backOff) backOff(spawnBackOffMs)
    log.info(
      { unit: attempt.fence.unitId, job: attempt.jobId, attempt: attempt.fence.attempt, end: end.kind },
      'attempt ended',
    )
  }

  async #recordCompleted(completed: readonly Completed[]): Promise<void> {
    const attempts = completed.map(({ attempt }) => attempt)
    const isRecorded = await this.#persist(attempts, (commit) => this.#writeCompleted(completed, commit))
    if (!isRecorded) return
    const [first] = attempts
    const details =
      attempts.length === 1 ? { unit: first?.fence.unitId, attempt: first?.fence.attempt } : { units: attempts.length }
    this.#options.log.info({ ...details, job: first?.jobId, end: 'completed' }, 'attempt ended')
  }

  /** @returns false when it was left to the next manager */
  async #persist(attempts: readonly Supervised[], write: (commit: Commit) => void): Promise<boolean> {
    const { commits, log, onRecorded } = this.#options
    for (let round = 1; !this.#detached; round += 1) {
      try {
        await commits.run((commit) => {
          write(commit)
          for (const { fence } of attempts) {
            // Free within this transaction, so that the next claim shares its commit.
            commit.afterFailure(this.#options.releaseSlot(fence.unitId))
          }
          commit.afterCommit(() => onRecorded(attempts))
        })
        return true
      } catch (error) {
        log.error({ err: error, units: attempts.map(({ fence }) => fence.unitId), round }, 'not recorded yet')
        await delay(Math.min(5_000, storageRetryMs * round))
      }
    }
    return false
  }

  #writeOne(attempt: Supervised, end: AttemptEnd, commit: Commit): void {
    const { store, clock, random, log, onEnded } = this.#options
    const now = clock.now()
    this.#storeProgress(attempt, end.elapsedMs)
    if ('checkpoint' in end && end.checkpoint !== undefined) {
      store.recordCheckpointIfHeld(attempt.fence, {
        state: end.checkpoint,
        format: this.#options.checkpointFormatOf(attempt.type),
      })
    }
    const recorded = recordEnd(store, attempt, end, { now, random })
    if (recorded === null) {
      log.warn({ unit: attempt.fence.unitId, end: end.kind }, 'the lease was lost; the outcome is dropped')
      return
    }
    const { ended, heldUntil } = recorded
    if (heldUntil !== null) this.#holdLane(attempt.lane, heldUntil)
    const finalStepDone = ended.unit.finalStep && ended.unit.state !== 'available'
    commit.afterCommit(() => onEnded({ job: ended.job, units: 1, finalStepDone }))
  }

  #writeCompleted(completed: readonly Completed[], commit: Commit): void {
    const { store, clock, log, onEnded } = this.#options
    const now = clock.now()
    for (const { attempt, end } of completed) {
      this.#storeProgress(attempt, end.elapsedMs)
      if (end.artifacts.length > 0) store.recordArtifactsIfHeld(attempt.fence, end.artifacts)
    }
    const ends = completed.map(({ attempt, end }) => ({
      fence: attempt.fence,
      output: { result: end.result },
      elapsedMs: end.elapsedMs,
      outputBytes: end.output.bytes,
      droppedBytes: end.output.droppedBytes,
    }))
    const finalSteps = new Set(completed.flatMap(({ attempt }) => (attempt.unit.finalStep ? [attempt.jobId] : [])))
    let units = 0
    for (const { job, unitIds } of store.completeUnitsIfHeld(ends, now)) {
      units += unitIds.length
      commit.afterCommit(() => onEnded({ job, units: unitIds.length, finalStepDone: finalSteps.has(job.id) }))
    }
    if (units < completed.length)
      log.warn({ units: completed.length - units }, 'leases were lost; outcomes are dropped')
  }

  #storeProgress({ progress, isProgressStored, fence }: Supervised, elapsedMs: number): void {
    const { store, clock } = this.#options
    if (progress !== null && !isProgressStored) {
      store.recordProgressIfHeld(fence, progress, elapsedMs, clock.now())
    }
  }

  /** A remote side said "slow down": the others of the lane would hear the same. */
  #holdLane(lane: Lane, until: number): void {
    const { store, clock, holdLane } = this.#options
    store.holdLane({ ...lane, until, reason: 'told to slow down' }, clock.now())
    holdLane(lane, until)
  }
}
