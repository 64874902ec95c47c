import type { JobStore } from '../../domain/ports/job-store.ts'

/**
 * Ends a job whose further units cannot be read any more, as failed: it would complete as if it had run them all. Runs in a
 * commit; what runs of it is stopped by the consequences of the cancel.
 */
export function endJobOfBrokenSource(store: JobStore, jobId: string, now: number): void {
  store.requestCancel(jobId, 'source', now)
}
