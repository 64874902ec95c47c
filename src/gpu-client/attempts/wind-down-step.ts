import { WorkerFault } from '../worker-client.ts'
import type { AttemptRun } from './attempt-run.ts'
import { afterGrace, endFor, hasEnded, judge } from './ends.ts'
import { endedAs, type Phase } from './phases.ts'

type WindingDown = Extract<Phase, { kind: 'winding_down' }>

/** Cancels until it is known to have ended, or long enough over. The lease is never renewed. */
export async function windDown(run: AttemptRun, phase: WindingDown): Promise<Phase> {
  const { task, setting, remoteId, token } = run
  const ends = endedAs(endFor(run, phase.purpose))
  const mayStartAtOnce = phase.purpose.kind === 'give_up' && task.fallback === 'immediate' && task.pure
  const isOver = (): boolean => setting.clock.monotonic() >= phase.until
  // The orphan is told in the background: the fence drops what it finds.
  if (mayStartAtOnce) return ends
  const logsFrom = run.log.next
  let next = phase
  try {
    const found = phase.isCancelled
      ? await run.ask((client, signal) =>
          client.get({ remoteId, attemptToken: token, logsFrom, leaseSeconds: null }, signal),
        )
      : await run.ask((client, signal) => client.cancel({ remoteId, attemptToken: token }, signal))
    if (found === null) {
      // A request that is still on its way may arrive yet, unless it was there already and is gone.
      if ((run.wasAccepted && !run.isElsewhere) || isOver()) return ends
    } else {
      run.accepted()
      const change = await run.news.take(found, phase.isCancelled ? logsFrom : null)
      if (change === 'refused' && run.stopReason === null) return endedAs(null)
      if (hasEnded(found)) return judge(run, found, phase.purpose)
      // It lives: it is given its grace, whatever was meant before.
      if (!phase.isCancelled) next = { ...phase, isCancelled: true, until: Math.max(phase.until, afterGrace(run)) }
      else if (isOver()) return ends
    }
  } catch (error) {
    if (!(error instanceof WorkerFault)) throw error
    if (isOver()) return ends
  }
  if (run.stopReason !== null && phase.purpose.kind !== 'stop') {
    run.heard()
    next = { ...next, purpose: { kind: 'stop' } }
  }
  await run.pause(Math.min(run.pace.next(), Math.max(0, next.until - setting.clock.monotonic())))
  return next
}
