import type { JobStore } from '../../domain/ports/job-store.ts'
import type { WaitUntil } from '../../domain/ports/task-store.ts'
import { isFinalJobState } from '../../domain/states.ts'

/** What is held waits for a person, who must hear of it: to wait on would help nobody. */
type WaitVerdict = 'satisfied' | 'waits_for_person' | 'waiting'

/**
 * Whether a wait for jobs is over.
 * @param since event id; with `any_changed`, changes after it count
 */
export function judgeWait(store: JobStore, ids: readonly string[], until: WaitUntil, since: number): WaitVerdict {
  if (until === 'any_changed') return store.latestEventIdOfJobs(ids) > since ? 'satisfied' : 'waiting'
  const jobs = store.readJobs(ids)
  const unfinished = jobs.filter((job) => !isFinalJobState(job.state))
  const wanted = until === 'all_ended' ? unfinished.length === 0 : unfinished.length < jobs.length
  if (wanted) return 'satisfied'
  return unfinished.length > 0 && unfinished.every((job) => job.heldAt !== null) ? 'waits_for_person' : 'waiting'
}
