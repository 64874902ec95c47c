import type { Fence, Job } from '../job.ts'
import type { JobState } from '../states.ts'

export interface Statistics {
  readonly jobs: Readonly<Record<JobState, number>>
  readonly last24Hours: {
    readonly completed: number
    readonly failed: number
    readonly cancelled: number
    readonly submitted: number
  }
}

/** What an attempt's directory is called after. */
export type AttemptName = Pick<Fence, 'unitId' | 'attempt' | 'nonce'>

export interface DeletedSlice {
  /** Attempts that are gone: their directories may be removed once the change is committed. */
  readonly attempts: readonly AttemptName[]
  /** Units that are gone. */
  readonly units: number
  /** Of kept output, artifacts, results and checkpoints that are gone with them. */
  readonly bytes: number
  readonly done: boolean
}

export interface FinalJobRecord {
  readonly job: Job
  /** The event that made it final. */
  readonly settledEvent: number
}

export interface PruningRecord {
  readonly at: number
  readonly jobs: number
  readonly bytes: number
  readonly rule: 'age' | 'count' | 'bytes'
}

/** Totals, estimates from the past, and what is deleted of it; part of the JobStore. */
export interface HistoryStore {
  readStatistics(now: number): Statistics
  /** Jobs by state, whatever their number. */
  readStateCounts(): Readonly<Record<JobState, number>>
  /** Unfinished jobs that a person must decide about, oldest first. */
  readHeldJobs(limit: number): readonly Job[]
  /** How long earlier completed runs of the same work took, ms, newest last; at most 20. */
  readDurations(workHash: string): readonly number[]
  /**
   * Forgets, of the next `limit` works by hash, those that did not run since `before`.
   * @returns the last hash, to go on from; null: none follow
   */
  pruneDurations(before: number, afterHash: string, limit: number): string | null
  /** Deletes up to `limit` units of a final job, and the job with the last of them. Null: unknown or not final. */
  deleteJobSlice(jobId: string, limit: number): DeletedSlice | null
  /** Jobs of which a first slice was deleted and not the last. */
  readLeavingJobs(limit: number): readonly string[]
  /** Final jobs, those that ended first first, for retention. */
  readOldestFinalJobs(limit: number): readonly FinalJobRecord[]
  /** The event up to which every known reader of news has acknowledged; null: nobody ever read. */
  oldestAcknowledged(): number | null
  /** Adds to the newest record of the same rule when that is less than an hour old. */
  recordPruning(record: PruningRecord): void
  /** Newest first. */
  readPruning(limit: number): readonly PruningRecord[]
}
