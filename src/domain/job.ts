import type { ErrorRecord } from './errors.ts'
import type { RemoteIdentity } from './ports/remote-executor.ts'
import type { Backoff } from './retry-policy.ts'
import type { AttemptOutcome, CancelReason, ExecutorKind, FinalJobState, FinalUnitState, Priority } from './states.ts'
import type { GpuFallback, GpuPreference } from './wire/gpu.ts'

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: Json }

/** Counts of a job's units by state; derived by triggers, so they cannot drift. */
export interface UnitCounts {
  readonly total: number
  readonly available: number
  readonly running: number
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
}

/** How attempts of a job are run; stored apart from the hot row. Lengths in ms, sizes in bytes. */
export interface JobOptions {
  readonly backoff: Backoff
  readonly unitTimeoutMs: number | null
  readonly idleTimeoutMs: number | null
  readonly cancelGraceMs: number
  readonly maxOutputBytes: number
  readonly rerunWhenLost: boolean
  /** Over all attempts and units, awake time, pauses excluded; null: none. */
  readonly totalTimeoutMs: number | null
  readonly retry: RetryClasses
  readonly rateLimit: RateLimitSign | null
  /** Left out: it never asks for a GPU. */
  readonly gpu?: GpuOptions
  /** Template of the key by which units are told apart, such as `{{unit.url}}`; null: units may repeat. */
  readonly unitKey: string | null
  /** Template of the key by which units share limits, such as `{{unit.host}}`; null: none. */
  readonly limitKey: string | null
  /** True: the job type said so and not the submit, so that a unit that lacks it shares no limits. Left out: false. */
  readonly limitKeyIsDefault?: boolean
}

/** What a job asks of GPU workers. */
export interface GpuOptions {
  readonly preference: Exclude<GpuPreference, 'never'>
  readonly fallback: GpuFallback
  /** So long its units wait for a worker that has no place, or with `require` for any worker. */
  readonly waitMs: number
}

/** Which failures may be retried while attempts are left. */
export interface RetryClasses {
  readonly exitCode: boolean
  readonly timeout: boolean
  /** Only these exit codes are retried; null: all. */
  readonly onlyExitCodes: readonly number[] | null
  /** Never retried: the input was refused. */
  readonly rejectedExitCodes: readonly number[]
}

/** How a command says that it was told to slow down. */
export interface RateLimitSign {
  readonly exitCodes: readonly number[]
  /** Literal text in the last output, upper and lower case alike; null: none. */
  readonly text: string | null
  /** Wait when the output names no time. */
  readonly waitMs: number
}

/** Limits of units that share a limit key, over all jobs of the queue; null: none. */
export interface KeyLimits {
  readonly concurrency: number | null
  readonly rate: RateLimit | null
}

/** No rate limit may have a longer window, ms: older starts say nothing. */
export const longestRateWindowMs = 24 * 3_600_000

/** At most `count` starts in any window of `windowMs`. */
export interface RateLimit {
  readonly count: number
  readonly windowMs: number
}

/** Failed units that do not fail the job; both null: none. */
export interface FailureBudget {
  readonly units: number | null
  /** Percent of all units. */
  readonly percent: number | null
  /** Once it is exceeded the rest is cancelled at once. */
  readonly stopEarly: boolean
}

interface JobBase {
  readonly id: string
  /** Local order: FIFO and keyset cursor. */
  readonly seq: number
  readonly type: string
  readonly queue: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly priority: Priority
  /** Wall ms; the job is not claimed before. */
  readonly runAt: number
  /** Units of this job that may run at once; null: no limit of its own. */
  readonly concurrency: number | null
  readonly maxAttempts: number
  readonly rerunOf: string | null
  /** Who submitted, for people: client name and version. */
  readonly submittedBy: string
  readonly pausedAt: number | null
  readonly frozenAt: number | null
  readonly heldAt: number | null
  readonly holdKind: 'review' | 'permission' | null
  readonly decision: 'approved' | 'rejected' | null
  /** Null while units may still be added. */
  readonly sealedAt: number | null
  /** Stays unsealed until it is closed by hand. */
  readonly keepOpen: boolean
  /** So many units run first, then the job is held for review; null: none. */
  readonly testUnits: number | null
  readonly keyLimits: KeyLimits | null
  /** Jobs it still waits for. */
  readonly openDependencies: number
  readonly failureBudget: FailureBudget
  /** Null: it has none. */
  readonly finalStep: 'waiting' | 'running' | 'done' | null
  readonly scheduleId: string | null
  readonly gpu: GpuPreference
  /** Wall ms since which its units have waited for a GPU worker in vain. */
  readonly gpuWaitsSince: number | null
  readonly cancelRequestedAt: number | null
  readonly cancelReason: CancelReason | null
  readonly counts: UnitCounts
  readonly createdAt: number
}

export interface QueuedJob extends JobBase {
  readonly state: 'queued'
  readonly startedAt: null
  readonly finishedAt: null
  readonly error: null
}

export interface StartedJob extends JobBase {
  readonly state: 'running'
  readonly startedAt: number
  readonly finishedAt: null
  readonly error: null
}

export interface FinalJob extends JobBase {
  readonly state: FinalJobState
  /** Null when it was cancelled before anything ran. */
  readonly startedAt: number | null
  readonly finishedAt: number
  /** The error of the first failed unit. */
  readonly error: ErrorRecord | null
}

export type Job = QueuedJob | StartedJob | FinalJob

/** What a handler or command reports for people. */
export interface Progress {
  readonly current: number
  /** Null when unknown. */
  readonly total: number | null
  readonly message: string | null
  readonly stage: string | null
}

interface UnitBase {
  readonly id: string
  readonly jobId: string
  readonly position: number
  /** Tells it from other units of its job; null: it has none. */
  readonly key: string | null
  /** Shares limits with units of the same one; null: it has none. */
  readonly limitKey: string | null
  /** True for the one that runs when all others have ended. */
  readonly finalStep: boolean
  /** Attempts so far; the running one is `attempt`. */
  readonly attempt: number
  /** Attempts that count against max_attempts. */
  readonly failures: number
  /** Attempts that vanished; at `poisonLimit` the unit fails. */
  readonly crashes: number
  readonly progress: Progress | null
}

export interface AvailableUnit extends UnitBase {
  readonly state: 'available'
  /** Wall ms; in the future while it backs off. 0: it never ran, and is due with its job. */
  readonly availableAt: number
}

export interface RunningUnit extends UnitBase {
  readonly state: 'running'
  readonly nonce: string
  readonly workerId: string
}

export interface FinalUnit extends UnitBase {
  readonly state: FinalUnitState
  readonly finishedAt: number
}

export type Unit = AvailableUnit | RunningUnit | FinalUnit

/** A process that owns a running command: enough to recognise it after a restart of anything. */
export interface RunnerIdentity {
  readonly pid: number
  /** Start time as the kernel states it (Linux: clock ticks since boot; macOS: text of ps). */
  readonly startTime: string
  readonly bootId: string
}

interface AttemptBase {
  readonly unitId: string
  readonly attempt: number
  readonly nonce: string
  readonly workerId: string
  readonly executor: ExecutorKind
  /** Words of DESIGN §3: local, gpu, remote (cpu), local (gpu fallback). */
  readonly mode: string
  readonly startedAt: number
  readonly runner: RunnerIdentity | null
  /** Where it was offered to a GPU worker. */
  readonly remote: RemoteIdentity | null
  /** What computed it, when that is known. */
  readonly device: string | null
  /** Why it ran here and not on a GPU worker. */
  readonly fallbackReason: ErrorRecord | null
}

export interface RunningAttempt extends AttemptBase {
  readonly outcome: 'running'
  readonly finishedAt: null
  readonly error: null
  readonly exitCode: null
}

export interface EndedAttempt extends AttemptBase {
  readonly outcome: Exclude<AttemptOutcome, 'running'>
  readonly finishedAt: number
  readonly error: ErrorRecord | null
  readonly exitCode: number | null
}

export type Attempt = RunningAttempt | EndedAttempt

/** The fence: who may write the end of an attempt. Numbers repeat after a restored backup, nonces do not (DESIGN §10.2). */
export interface Fence {
  readonly unitId: string
  readonly attempt: number
  readonly nonce: string
  readonly workerId: string
}
