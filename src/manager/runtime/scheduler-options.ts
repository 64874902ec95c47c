import type { Logger } from 'pino'
import type { Clock } from '../../domain/clock.ts'
import type { Job } from '../../domain/job.ts'
import type { JobStore, NewDependency } from '../../domain/ports/job-store.ts'
import type { DueTimes } from '../../domain/schedule-times.ts'
import type { SubmitRequest } from '../../domain/wire/submit.ts'
import type { Commit, CommitQueue } from './commit-queue.ts'

/** What the scheduler says about a job beside the request. */
export interface ScheduledSubmission {
  readonly scheduleId: string
  /** One per due time, so that nothing fires twice. */
  readonly idempotencyKey: string
  /** Jobs of earlier due times that must have ended before it starts, beside those the request names. */
  readonly dependencies: readonly NewDependency[]
}

export interface SchedulerOptions<Prepared> {
  readonly store: JobStore
  readonly commits: CommitQueue
  readonly clock: Clock
  readonly log: Logger
  readonly dueTimes: DueTimes
  /**
   * What a submit does before its transaction: checks, enumerating a source.
   * @throws QueueError when the job cannot be submitted
   */
  readonly prepare: (request: SubmitRequest) => Promise<Prepared>
  /** Drops what `prepare` left behind, when nothing was submitted. */
  readonly discard?: (prepared: Prepared) => void
  /**
   * Submits within the running operation of the commit queue.
   * @throws QueueError when the job cannot be submitted; the operation is rolled back
   */
  readonly submit: (prepared: Prepared, extras: ScheduledSubmission, commit: Commit) => Job
  /** Ends the processes of a unit whose job was cancelled. */
  readonly stop: (unitId: string) => void
}
