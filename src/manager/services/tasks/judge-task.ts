import type { Job } from '../../../domain/job.ts'
import type { JobStore } from '../../../domain/ports/job-store.ts'
import type { Task } from '../../../domain/ports/task-store.ts'
import { judgeWait } from '../judge-wait.ts'

export type TaskVerdict =
  /** Its wait is satisfied, or never will be: nothing of its jobs can change any more. */
  | { readonly kind: 'over'; readonly satisfied: boolean }
  /** Everything unfinished waits for a person's review. */
  | { readonly kind: 'asks'; readonly jobs: readonly Job[] }
  | { readonly kind: 'working' }

/** How the jobs of an open task stand, seen from its wait. */
export function judgeTask(store: JobStore, task: Task): TaskVerdict {
  const { jobIds, until, since, deletedJobs } = task
  // Only what has ended is deleted.
  const isMissed = until !== 'all_ended' && deletedJobs > 0
  if (isMissed || judgeWait(store, jobIds, until, since) === 'satisfied') return { kind: 'over', satisfied: true }
  const unfinished = store.readJobs(jobIds).filter((job) => job.finishedAt === null)
  if (unfinished.length === 0) return { kind: 'over', satisfied: false }
  return unfinished.every(isHeldForReview) ? { kind: 'asks', jobs: unfinished } : { kind: 'working' }
}

/** Waits for a decision that a client may ask its user for. A permission is asked for elsewhere, if at all. */
export function isHeldForReview(job: Job): boolean {
  return job.heldAt !== null && job.holdKind === 'review' && job.cancelRequestedAt === null
}

/** @returns the key of the question whether a held job may go on; another hold of the same job has another key. */
export function questionKey(job: Job): string {
  return `approve-${job.id}-${job.heldAt}`
}
