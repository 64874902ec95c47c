import { setTimeout as delay } from 'node:timers/promises'
import type { WaitAnswer } from '../../domain/wire/jobs.ts'
import type { OperationCall } from '../../domain/wire/operations.ts'
import type { JobView } from '../../domain/wire/shared.ts'
import { doNotWait, nextStep, viewsOf } from './job-status.ts'
import { judgeWait } from './judge-wait.ts'
import type { ServiceContext } from './service-context.ts'

type Until = OperationCall<'wait_for_jobs'>['until']

/**
 * Long poll: answers at the first committed change that satisfies `until`, or when the time is up. Nothing is polled inside.
 * Ending the call (signal) ends only the wait, never a job (promise P11).
 * @throws QueueError job_not_found when none of the ids is known
 */
export async function waitForJobs(
  context: ServiceContext,
  request: OperationCall<'wait_for_jobs'>,
  signal: () => AbortSignal,
): Promise<WaitAnswer> {
  const { store, clock, events, closing } = context
  const begun = clock.monotonic()
  const ids = [...new Set(request.ids)]
  viewsOf(context, ids, 'concise')
  const since = request.cursor === undefined ? store.lastEventId() : Number(request.cursor)
  const look = () => judgeWait(store, ids, request.until, since)
  const isOver = () => look() !== 'waiting'

  let done = isOver()
  if (!done && request.timeout_s > 0) {
    const over = new AbortController()
    const end = () => over.abort()
    const wanted = new Set(ids)
    const unsubscribe = events.subscribe((batch) => {
      if (!done && batch.some((event) => wanted.has(event.jobId)) && isOver()) {
        done = true
        end()
      }
    })
    // Not AbortSignal.any: a source that lives as long as the manager would remember every wait there ever was.
    const sources = [signal(), closing]
    for (const source of sources) source.addEventListener('abort', end, { once: true })
    if (sources.some((source) => source.aborted)) end()
    try {
      // A commit between the first look and the subscription would be missed without this one.
      done = isOver()
      if (!done) await delay(request.timeout_s * 1000, undefined, { signal: over.signal }).catch(() => undefined)
    } finally {
      unsubscribe()
      for (const source of sources) source.removeEventListener('abort', end)
    }
  }
  const { jobs, missing } = viewsOf(context, ids, 'concise')
  const cursor = String(store.lastEventId())
  return {
    satisfied: done && look() === 'satisfied',
    jobs,
    missing,
    waited_s: Math.round(clock.monotonic() - begun) / 1000,
    cursor,
    next: done ? nextStep(jobs, clock.now()) : waitOn(jobs, request.until, cursor, clock.now()),
  }
}

/** What to do when the time was up: the same call again, ready to be made. */
function waitOn(jobs: readonly JobView[], until: Until, cursor: string, now: number): string {
  const later = doNotWait(jobs, now)
  if (later !== null) return later
  const wanted = until === 'all_ended' ? jobs.filter((job) => !job.final) : jobs
  const again = { ids: wanted.map((job) => job.id), ...(until === 'all_ended' ? {} : { until }), cursor }
  return `Not yet. wait_for_jobs ${JSON.stringify(again)} waits on; or do something else: the jobs go on by themselves.`
}
