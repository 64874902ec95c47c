import { WorkerFault, type WorkerFaultKind } from '../worker-client.ts'
import type { AttemptRun } from './attempt-run.ts'
import { endFor } from './ends.ts'
import { type FetchedResult, fetchResult } from './fetch-result.ts'
import { endedAs, type Phase } from './phases.ts'
import { fallbackOf } from './prediction-end.ts'
import { reasonOf, recordOfFault } from './return-errors.ts'

/** These may pass: the worker keeps what has ended for a day. */
const passing: ReadonlySet<WorkerFaultKind> = new Set(['not_sent', 'ambiguous', 'busy', 'slow_down', 'server_error'])
/** A file that was not what it should be is fetched once more. */
const mostLies = 2

/** It has run: its result is brought home, for as long as a lease would have lasted. */
export async function collect(run: AttemptRun, phase: Extract<Phase, { kind: 'collecting' }>): Promise<Phase> {
  const until = run.setting.clock.monotonic() + run.leaseMs
  run.heard()
  run.pace.reset()
  for (let lies = 0; ; ) {
    try {
      return endedAs({ kind: 'completed', ...(await fetchInTime(run, phase)) })
    } catch (error) {
      if (!(error instanceof WorkerFault)) throw error
      if (!passing.has(error.kind)) lies += 1
      const leftMs = until - run.setting.clock.monotonic()
      if (lies < mostLies && leftMs > 0 && run.stopReason === null) {
        await run.pause(Math.min(error.retryAfterMs ?? run.pace.next(), leftMs))
        continue
      }
      if (run.stopReason !== null) return endedAs(endFor(run, { kind: 'stop' }))
      if (phase.purpose !== null) return endedAs(endFor(run, phase.purpose))
      const record = recordOfFault(run.worker, error)
      return endedAs({ kind: 'returned', to: fallbackOf(run.task), why: reasonOf(error), error: record })
    }
  }
}

/** Whoever stops it waits for its end, and files may come as slowly as a worker likes. */
async function fetchInTime(run: AttemptRun, { found }: Extract<Phase, { kind: 'collecting' }>): Promise<FetchedResult> {
  const overdue = new AbortController()
  const timer = run.stopReason === null ? undefined : setTimeout(() => overdue.abort(), run.leaseMs)
  try {
    return await fetchResult(run, found, AbortSignal.any([run.detached, run.woken, overdue.signal]))
  } finally {
    clearTimeout(timer)
  }
}
