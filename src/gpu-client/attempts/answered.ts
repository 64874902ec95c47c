import type { Prediction } from '../../domain/wire/prediction.ts'
import type { AttemptRun } from './attempt-run.ts'
import { hasEnded, judge, overtime } from './ends.ts'
import { endedAs, type Phase } from './phases.ts'

/** The worker said how it stands. */
export async function answered(run: AttemptRun, found: Prediction, logsFrom: number | null): Promise<Phase> {
  const wasInDoubt = run.doubt !== null
  run.doubt = null
  run.doubts = 0
  run.accepted()
  const change = await run.news.take(found, logsFrom)
  // One that is to stop ends in any case: whoever stops it waits for that.
  if (change === 'refused' && run.stopReason === null) return endedAs(null)
  if (hasEnded(found)) return judge(run, found, null)
  const limitMs = run.task.unitTimeoutMs
  // The worker ends it by itself; one that does not is not waited for.
  if (limitMs !== null && run.elapsedMs() - run.acceptedAfterMs > limitMs + run.leaseMs) return overtime(run, limitMs)
  if (change === 'changed') run.pace.reset()
  // The lease was not renewed while it was in doubt.
  if (!wasInDoubt) await run.pause(run.pace.next())
  return { kind: 'asking' }
}
