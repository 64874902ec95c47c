import { cutText } from '../../domain/cut-text.ts'
import type { QueueError } from '../../domain/errors.ts'
import type { JobStore } from '../../domain/ports/job-store.ts'

/** Label that says why a job got fewer units than its source had. */
export const brokenSourceLabel = 'source_error'

/**
 * Ends a job whose further units cannot be read any more: it would complete as if it had run them all. Runs in a commit.
 */
export function endJobOfBrokenSource(store: JobStore, jobId: string, error: QueueError, now: number): void {
  store.updateJob(jobId, { labels: { [brokenSourceLabel]: cutText(error.message, 256) } }, now)
  store.requestCancel(jobId, 'user', now)
}
