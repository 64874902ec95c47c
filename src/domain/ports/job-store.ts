import type { ErrorRecord } from '../errors.ts'
import type { Attempt, Fence, Job, JobOptions, Json, JsonObject, Progress, RunnerIdentity, Unit } from '../job.ts'
import type { CancelReason, ExecutorKind, JobState, Priority } from '../states.ts'

export interface NewUnit {
  readonly id: string
  readonly input: Json
}

export interface NewJob {
  readonly id: string
  readonly type: string
  readonly queue: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly priority: Priority
  readonly params: JsonObject
  readonly options: JobOptions
  readonly runAt: number
  readonly concurrency: number | null
  readonly maxAttempts: number
  readonly rerunOf: string | null
  readonly submittedBy: string
  readonly idempotencyKey: string
  /** Hash of everything the client said; the same key with another hash is a conflict. */
  readonly contentHash: string
  readonly units: readonly NewUnit[]
  readonly now: number
}

export type SubmitOutcome =
  | { readonly kind: 'created'; readonly job: Job }
  | { readonly kind: 'existing'; readonly job: Job }
  /** The key's job was deleted; the key outlives it. */
  | { readonly kind: 'existing_pruned'; readonly jobId: string; readonly createdAt: number }
  | { readonly kind: 'conflict'; readonly jobId: string; readonly createdAt: number }

export interface ClaimRequest {
  readonly jobId: string
  readonly workerId: string
  readonly executor: ExecutorKind
  readonly mode: string
  readonly nonce: string
  readonly now: number
}

export type ClaimOutcome =
  | {
      readonly kind: 'claimed'
      readonly unit: Unit & { readonly state: 'running' }
      readonly job: Job
      readonly moreAvailable: boolean
    }
  /** Nothing to claim now; `nextDueAt` is the wall time when it may be, null when only another change can make it so. */
  | { readonly kind: 'none'; readonly nextDueAt: number | null }

/** What an ended attempt left behind, common to all ends. */
export interface EndFacts {
  readonly exitCode: number | null
  readonly error: ErrorRecord | null
  readonly elapsedMs: number
  readonly outputBytes: number
  readonly droppedBytes: number
  readonly now: number
}

/** The change an end made: the unit after it and, when the job settled by it, the job. */
export interface UnitEnd {
  readonly unit: Unit
  readonly job: Job
  readonly settled: boolean
}

export interface HeldUnit {
  readonly fence: Fence
  readonly job: Job
  readonly executor: ExecutorKind
  readonly runner: RunnerIdentity | null
  readonly startedAt: number
  /** Failures of the unit so far. */
  readonly failures: number
  /** Awake monotonic ms that the attempt had run when last stored. */
  readonly elapsedMs: number
}

export type CancelOutcome =
  | { readonly kind: 'not_found' }
  | { readonly kind: 'already_final'; readonly job: Job }
  /** Final now: nothing was running. */
  | { readonly kind: 'cancelled'; readonly job: Job }
  /** Flag set (now or before); these units still run and must be stopped. */
  | { readonly kind: 'cancelling'; readonly job: Job; readonly held: readonly HeldUnit[] }

export interface RunnableJob {
  readonly jobId: string
  readonly seq: number
  readonly queue: string
  readonly type: string
  readonly priority: Priority
  /** Wall ms when its next unit may be claimed. */
  readonly nextDueAt: number
}

export interface JobFilter {
  readonly states?: readonly JobState[] | undefined
  readonly type?: string | undefined
  readonly queue?: string | undefined
  /** All must match. */
  readonly labels?: Readonly<Record<string, string>> | undefined
  readonly createdAfter?: number | undefined
  readonly createdBefore?: number | undefined
  /** Full text over name, type, labels, params and error; every word must match as a prefix. Never FTS syntax. */
  readonly text?: string | undefined
}

export interface JobPayload {
  readonly params: JsonObject
  readonly options: JobOptions
}

export interface WorkerRecord {
  readonly id: string
  readonly kind: ExecutorKind
  readonly name: string
  readonly pid: number
  readonly slots: number
}

export interface EventRecord {
  /** Never reused: the cursor of the event stream. */
  readonly id: number
  readonly type: string
  readonly jobId: string
  readonly unitId: string | null
  readonly data: JsonObject
  readonly createdAt: number
}

export interface Statistics {
  readonly jobs: Readonly<Record<JobState, number>>
  readonly last24Hours: {
    readonly completed: number
    readonly failed: number
    readonly cancelled: number
    readonly submitted: number
  }
}

export interface Watermark {
  /** Event id up to which this reader has acknowledged. */
  readonly acknowledged: number
  /** Event id up to which items were shown to this reader. */
  readonly shown: number
}

/**
 * Everything the manager keeps, in domain words. Synchronous: one method is one atomic change. Inside
 * `atomically` the methods join its transaction as savepoints; outside, each is its own durable commit.
 * Every transaction checks the epoch once after BEGIN IMMEDIATE.
 *
 * "If held" methods answer null when the fence does not match: the attempt was lost, its output must be dropped.
 * Every change of a job or unit writes its event in the same transaction.
 */
export interface JobStore {
  /**
   * Runs `work` in one transaction; nested calls are savepoints, rolled back alone when they throw.
   * @throws EpochLostError (persistence/ports) when another manager has raised the epoch
   */
  atomically<T>(work: () => T): T
  /** False after an error that made SQLite roll the whole transaction back (DESIGN §10.7). */
  isTransactionOpen(): boolean

  /** Makes this store the only one whose writes are accepted. @returns the new epoch. */
  raiseEpoch(holder: string, now: number): number

  submitJob(job: NewJob): SubmitOutcome
  /** Leases the next due unit of one job, opens its attempt, starts the job. Guards: not paused, held, frozen, cancelled; due; under its concurrency; queue not paused. */
  claimUnitIfDue(request: ClaimRequest): ClaimOutcome
  /** Every job with an unfinished available unit, in (seq) order; for rebuilding the ready index. */
  readRunnableJobs(afterSeq: number, limit: number): readonly RunnableJob[]

  recordRunnerIfHeld(fence: Fence, runner: RunnerIdentity): boolean
  recordProgressIfHeld(fence: Fence, progress: Progress | null, elapsedMs: number, now: number): boolean
  /** Gives a running unit to another worker without ending its attempt; the new fence is the old with `workerId` replaced. */
  adoptUnitIfHeld(fence: Fence, workerId: string): Fence | null

  /** Records the result and the state in one change (promise P5). */
  completeUnitIfHeld(fence: Fence, output: Json, facts: EndFacts): UnitEnd | null
  /**
   * Counts a failure. Available again at `retryAt` when failures are left, else failed. A cancel wins over a retry.
   * @param retryAt wall ms, or null when the failure must not be retried
   */
  failUnitIfHeld(
    fence: Fence,
    outcome: 'failed' | 'timed_out',
    retryAt: number | null,
    output: Json,
    facts: EndFacts,
  ): UnitEnd | null
  /**
   * The attempt's processes are proven gone and left no exit status. Available again unless `mayRerun` is false or, with
   * `countsAsCrash`, this was crash number `poisonLimit` (then failed as `poison`). A cancel wins.
   */
  loseUnitIfHeld(
    fence: Fence,
    options: { mayRerun: boolean; countsAsCrash: boolean; retryAt: number },
    facts: EndFacts,
  ): UnitEnd | null
  /** Gives the unit back unharmed: nothing is counted. A cancel wins. */
  releaseUnitIfHeld(fence: Fence, facts: EndFacts): UnitEnd | null
  /** Confirms that a running unit of a job whose cancel was asked for has stopped; null also when no cancel was asked for. */
  cancelUnitIfHeld(fence: Fence, output: Json, facts: EndFacts): UnitEnd | null

  /**
   * Moves the due time of every waiting retry by `byMs` (negative: earlier, never below 0): back-off is a length of time, so a
   * wall clock that was set back must not make it longer. Units that never ran keep theirs. @returns how many were moved
   */
  shiftRetries(byMs: number): number

  /** Sets the flag, cancels every available unit, settles when nothing runs. Idempotent. */
  requestCancel(jobId: string, reason: CancelReason, now: number): CancelOutcome

  registerWorker(worker: WorkerRecord, now: number, leaseExpiresAt: number): void
  /** @returns false when the worker is unknown or stopped. */
  heartbeatWorker(workerId: string, now: number, leaseExpiresAt: number): boolean
  stopWorker(workerId: string, now: number): void
  /** Running units in (unit seq) order; with `leaseExpiredBefore` only those whose worker's lease ended before it. */
  findHeldUnits(filter: { workerId?: string; leaseExpiredBefore?: number; limit: number }): readonly HeldUnit[]

  readJob(jobId: string): Job | null
  readJobs(jobIds: readonly string[]): readonly Job[]
  readJobPayload(jobId: string): JobPayload | null
  readUnits(jobId: string, page: { afterPosition?: number; limit: number }): readonly Unit[]
  readUnitPayload(unitId: string): { readonly input: Json; readonly output: Json | null } | null
  readAttempts(unitId: string): readonly Attempt[]
  /** Newest first by seq; with `text`, full-text matches newest first. `beforeSeq` is the keyset cursor. */
  listJobs(filter: JobFilter, page: { beforeSeq?: number; limit: number }): readonly Job[]

  /** Jobs that became final by an event in (afterEvent, ∞), in that order, each with its event id. */
  readFinishedJobs(afterEvent: number, limit: number): readonly { readonly job: Job; readonly eventId: number }[]
  readWatermark(reader: string): Watermark
  /** Moves `shown` forward, never back. */
  recordShown(reader: string, eventId: number): void
  /** Moves `acknowledged` (and `shown`) forward, never back. */
  acknowledge(reader: string, eventId: number): Watermark

  readEvents(afterId: number, limit: number): readonly EventRecord[]
  /** The newest event id of any of these jobs; 0 when they have none (any more). */
  latestEventIdOfJobs(jobIds: readonly string[]): number
  /** 0 when there was never one. Ids grow for ever: also the high-water mark of the state's identity. */
  lastEventId(): number
  firstEventId(): number
  /** Keeps the newest `keep` events. @returns how many were deleted, at most `limit`. */
  pruneEvents(keep: number, limit: number): number

  readStatistics(now: number): Statistics
}
