import type { ErrorRecord } from '../errors.ts'
import type {
  Attempt,
  FailureBudget,
  Fence,
  Job,
  JobOptions,
  Json,
  JsonObject,
  KeyLimits,
  Progress,
  RunnerIdentity,
  Unit,
} from '../job.ts'
import type { CancelReason, DependencyCondition, ExecutorKind, FinalJobState, Priority } from '../states.ts'
import type { GpuPreference } from '../wire/gpu.ts'
import type { ArtifactStore } from './artifact-store.ts'
import type { EventStore } from './event-store.ts'
import type { GpuStore } from './gpu-store.ts'
import type { HistoryStore } from './history-store.ts'
import type { JobFilter, UnitFilter } from './job-filters.ts'
import type { Lane, LaneStore } from './lane-store.ts'
import type { RemoteIdentity } from './remote-executor.ts'
import type { ResumeStore } from './resume-store.ts'
import type { ScheduleStore } from './schedule-store.ts'
import type { NewSource, NewUnit, SourceStore } from './source-store.ts'
import type { TaskStore } from './task-store.ts'

export type { JobFilter, UnitFilter } from './job-filters.ts'

export interface NewDependency {
  readonly jobId: string
  /** Its name in placeholders. */
  readonly alias: string
  readonly condition: DependencyCondition
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
  /** Environment and directory of the submitting client. */
  readonly context: Json
  readonly runAt: number
  readonly concurrency: number | null
  readonly maxAttempts: number
  readonly rerunOf: string | null
  readonly submittedBy: string
  readonly idempotencyKey: string
  /** Hash of everything the client said; the same key with another hash is a conflict. */
  readonly contentHash: string
  /** Hash of type and parameters: earlier runs of the same work; null: not comparable. */
  readonly workHash: string | null
  /** Units that come with the job; may be empty when there is a source or it is kept open. */
  readonly units: readonly NewUnit[]
  readonly source: NewSource | null
  readonly keepOpen: boolean
  readonly testUnits: number | null
  readonly keyLimits: KeyLimits | null
  readonly failureBudget: FailureBudget
  readonly finalStep: { readonly unitId: string; readonly params: JsonObject } | null
  readonly dependencies: readonly NewDependency[]
  readonly scheduleId: string | null
  /** Its units wait for a GPU worker first, unless it is `never`. */
  readonly gpu: GpuPreference
  readonly now: number
}

export type SubmitOutcome =
  | { readonly kind: 'created'; readonly job: Job }
  | { readonly kind: 'existing'; readonly job: Job }
  /** The key's job was deleted; the key outlives it. */
  | { readonly kind: 'existing_pruned'; readonly jobId: string; readonly createdAt: number }
  | { readonly kind: 'conflict'; readonly jobId: string; readonly createdAt: number }
  | { readonly kind: 'dependency_not_found'; readonly jobIds: readonly string[] }

export interface ClaimRequest {
  readonly jobId: string
  /** The lane within the job: units with this limit key; null: units without one. */
  readonly limitKey: string | null
  /** At most so many units. */
  readonly limit: number
  readonly workerId: string
  readonly executor: ExecutorKind
  readonly mode: string
  /** Shared by the units of this claim: with unit and attempt number it makes the fence. */
  readonly nonce: string
  /** Lanes with a rate limit in which these starts are counted, so that a restart starts no burst. */
  readonly countedLanes?: readonly Lane[]
  readonly now: number
}

export interface ClaimOutcome {
  /** Empty: nothing to claim now. */
  readonly units: readonly (Unit & { readonly state: 'running' })[]
  /** After the claim; null when nothing was claimed. */
  readonly job: Job | null
  /** Wall ms when the lane's next unit may be claimed (it may be past); null: only another change can make it so. */
  readonly nextDueAt: number | null
}

/** What an ended attempt left behind, common to all ends. */
export interface EndFacts {
  readonly exitCode: number | null
  readonly error: ErrorRecord | null
  /** Kept in whole ms. */
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

/** A unit that completed: its result, and what its attempt left behind. */
export interface HeldOutput extends Pick<EndFacts, 'elapsedMs' | 'outputBytes' | 'droppedBytes'> {
  readonly fence: Fence
  readonly output: Json
}

/** Units of one job that completed together. */
export interface BatchEnd {
  /** After the change. */
  readonly job: Job
  readonly unitIds: readonly string[]
  readonly settled: boolean
}

export interface HeldUnit {
  readonly fence: Fence
  readonly job: Job
  readonly executor: ExecutorKind
  readonly limitKey: string | null
  readonly runner: RunnerIdentity | null
  /** Of an attempt at a GPU worker; null: nothing was sent yet. */
  readonly remote: RemoteIdentity | null
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

/**
 * One lane of a job that has available units. A job without limit keys has one, with `limitKey` null; with units both here and
 * for GPU workers it has each lane twice.
 */
export interface RunnableJob {
  readonly jobId: string
  readonly seq: number
  readonly queue: string
  readonly type: string
  readonly priority: Priority
  readonly submittedBy: string
  /** Its units wait for a GPU worker. */
  readonly forGpu: boolean
  readonly limitKey: string | null
  readonly keyLimits: KeyLimits | null
  /** Wall ms when its next unit may be claimed. */
  readonly nextDueAt: number
}

/** What the changes of a transaction mean for a running manager. */
export interface Consequences {
  /** Lanes that may have become claimable. */
  readonly runnable: readonly RunnableJob[]
  /** Running units that must be stopped: their job was cancelled by what happened. */
  readonly stops: readonly HeldUnit[]
  /** Jobs that became final. */
  readonly settled: readonly Job[]
  /** True when a source may be fed. */
  readonly feed: boolean
  /** Cancelled jobs with more waiting units than one change should cancel: `cancelMoreUnits` goes on. */
  readonly sweeps: readonly string[]
}

export type PauseOutcome =
  | { readonly kind: 'not_found' | 'already_final' | 'cancelling' | 'unchanged' }
  /** `held`: its running units, to be frozen or thawed. */
  | { readonly kind: 'changed'; readonly job: Job; readonly held: readonly HeldUnit[] }

export type DecideOutcome =
  | { readonly kind: 'not_found' }
  | { readonly kind: 'not_held'; readonly job: Job }
  | { readonly kind: 'decided'; readonly job: Job }

/** Changes of an unfinished job; what is left out stays. */
export interface JobChanges {
  readonly name?: string
  readonly priority?: Priority
  readonly runAt?: number
  readonly concurrency?: number | null
  /** A null value removes the label. */
  readonly labels?: Readonly<Record<string, string | null>>
  /** Further jobs to wait for; only before it has started. */
  readonly dependencies?: readonly NewDependency[]
  /** No unit will be added any more. */
  readonly close?: true
}

export type UpdateOutcome =
  | { readonly kind: 'not_found' | 'already_final' | 'already_started' }
  | { readonly kind: 'dependency_not_found'; readonly jobIds: readonly string[] }
  /** The ids on the way around, first and last alike. */
  | { readonly kind: 'cycle'; readonly jobIds: readonly string[] }
  | { readonly kind: 'updated'; readonly job: Job }

export interface Dependency {
  readonly jobId: string
  readonly alias: string
  readonly condition: DependencyCondition
  /** How it ended; null while it has not. */
  readonly state: FinalJobState | null
}

export interface JobPayload {
  readonly params: JsonObject
  readonly options: JobOptions
  readonly context: Json
  readonly finalStep: { readonly unitId: string; readonly params: JsonObject } | null
  readonly workHash: string | null
}

export interface WorkerRecord {
  readonly id: string
  readonly kind: ExecutorKind
  readonly name: string
  readonly pid: number
  readonly slots: number
}

/**
 * Everything the manager keeps, in domain words. Synchronous: one method is one atomic change. Inside
 * `atomically` the methods join its transaction as savepoints; outside, each is its own durable commit.
 * Every transaction checks the epoch once after BEGIN IMMEDIATE.
 *
 * "If held" methods answer null when the fence does not match: the attempt was lost, its output must be dropped.
 * Every change of a job or unit writes its event in the same transaction.
 */
export interface JobStore
  extends ArtifactStore,
    EventStore,
    GpuStore,
    HistoryStore,
    LaneStore,
    ResumeStore,
    ScheduleStore,
    SourceStore,
    TaskStore {
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
  /** What a key was used for; null: never. */
  readIdempotencyKey(key: string): { readonly jobId: string; readonly contentHash: string } | null
  /**
   * Leases the next due units of one lane of a job, opens their attempts, starts the job. Guards: not paused, held, frozen,
   * cancelled; no open dependency; due; under the job's concurrency; queue not paused. Limits of queues and keys are the
   * dispatcher's: only one manager claims.
   */
  claimUnitsIfDue(request: ClaimRequest): ClaimOutcome
  /** Every lane of the next `limit` unfinished jobs with available units, in (job seq) order; for rebuilding the ready index. */
  readRunnableJobs(afterSeq: number, limit: number): readonly RunnableJob[]
  /**
   * What the changes since the last call mean for the running manager; emptied by reading. Called in the transaction that
   * made them; after a rollback it may name jobs that did not change, which does no harm.
   */
  takeConsequences(): Consequences

  /** Running units finish, or with `freeze` are to be suspended. A second call may add or remove the freeze. */
  pauseJob(jobId: string, freeze: boolean, now: number): PauseOutcome
  resumeJob(jobId: string, now: number): PauseOutcome
  /** Approving lets the rest go on; rejecting cancels with reason `rejected`. */
  decideJob(jobId: string, decision: 'approved' | 'rejected', by: string, now: number): DecideOutcome
  updateJob(jobId: string, changes: JobChanges, now: number): UpdateOutcome

  recordRunnerIfHeld(fence: Fence, runner: RunnerIdentity): boolean
  recordProgressIfHeld(fence: Fence, progress: Progress | null, elapsedMs: number, now: number): boolean
  /** Gives a running unit to another worker without ending its attempt; the new fence is the old with `workerId` replaced. */
  adoptUnitIfHeld(fence: Fence, workerId: string): Fence | null

  /** Records the result and the state in one change (promise P5); a checkpoint of the unit is dropped. */
  completeUnitIfHeld(fence: Fence, output: Json, facts: EndFacts): UnitEnd | null
  /**
   * As completeUnitIfHeld, many units in one change; those whose fence does not match are left out, their output is dropped.
   */
  completeUnitsIfHeld(ends: readonly HeldOutput[], now: number): readonly BatchEnd[]
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
  /** The unit was told to slow down: nothing is counted, available again at `until`. A cancel wins. */
  deferUnitIfHeld(fence: Fence, until: number, output: Json, facts: EndFacts): UnitEnd | null
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

  /**
   * Cancels up to `limit` further waiting units of a job whose cancel was asked for; with the last of them it settles.
   * @returns true when there are more
   */
  cancelMoreUnits(jobId: string, limit: number, now: number): boolean
  /** Jobs for which `cancelMoreUnits` has to go on: a manager may have died in between. */
  readCancellingJobs(limit: number): readonly string[]

  registerWorker(worker: WorkerRecord, now: number, leaseExpiresAt: number): void
  /** @returns false when the worker is unknown or stopped. */
  heartbeatWorker(workerId: string, now: number, leaseExpiresAt: number): boolean
  stopWorker(workerId: string, now: number): void
  /** Running units in (unit seq) order; with `leaseExpiredBefore` only those whose worker's lease ended before it. */
  findHeldUnits(filter: { workerId?: string; leaseExpiredBefore?: number; limit: number }): readonly HeldUnit[]

  readJob(jobId: string): Job | null
  readJobs(jobIds: readonly string[]): readonly Job[]
  readJobPayload(jobId: string): JobPayload | null
  readUnit(unitId: string): Unit | null
  /** By position; the final step comes last. */
  readUnits(jobId: string, page: { afterPosition?: number; limit: number }, filter?: UnitFilter): readonly Unit[]
  readDependencies(jobId: string): readonly Dependency[]
  /** Jobs that were run again from this one, oldest first. */
  readReruns(jobId: string, limit: number): readonly Job[]
  readUnitPayload(unitId: string): { readonly input: Json; readonly output: Json | null } | null
  /** Inputs of many units, by unit id. */
  readUnitInputs(unitIds: readonly string[]): ReadonlyMap<string, Json>
  readAttempts(unitId: string): readonly Attempt[]
  /** Newest first by seq; with `text`, full-text matches newest first. `beforeSeq` is the keyset cursor. */
  listJobs(filter: JobFilter, page: { beforeSeq?: number; limit: number }): readonly Job[]

  /** Adds to the awake time of jobs with a total timeout. */
  recordJobElapsed(jobId: string, elapsedMs: number): void
  readJobElapsed(jobId: string): number
}
