import type { Prediction } from '../../domain/wire/prediction.ts'
import { WorkerFault } from '../worker-client.ts'
import { answered } from './answered.ts'
import type { AttemptRun } from './attempt-run.ts'
import { giveUp, sendAgain, stopped } from './ends.ts'
import { endedAs, type Phase } from './phases.ts'
import { restarted } from './prediction-end.ts'

/** Asking again says nothing new before somebody does something about these. */
const lasting: ReadonlySet<string> = new Set(['key_refused', 'key_missing', 'tls'])

/**
 * Looks at the attempt. Only a request after a known answer renews the lease: one whose answer is lost would renew one that nobody
 * here knows of.
 */
export async function look(run: AttemptRun): Promise<Phase> {
  if (run.stopReason !== null) return stopped(run)
  const { remoteId, token, setting } = run
  const renews = run.wasAccepted && run.doubt === null
  const logsFrom = run.log.next
  let found: Prediction | null
  try {
    found = await run.ask((client, signal) => {
      if (renews) run.lease.sending()
      const leaseSeconds = renews ? setting.leaseSeconds : null
      return client.get({ remoteId, attemptToken: token, logsFrom, leaseSeconds }, signal)
    })
  } catch (error) {
    if (!(error instanceof WorkerFault)) throw error
    if (renews) run.lease.lost(setting.timings.answerMs)
    return doubted(run, error)
  }
  if (found !== null) return answered(run, found, logsFrom)
  if (run.isElsewhere)
    return doubted(
      run,
      new WorkerFault('ambiguous', 'WORKER_CHANGED', 'another worker has its name now, and does not know it'),
    )
  if (run.wasAccepted) return endedAs(restarted(run.worker, run.task, 'it does not know the attempt any more'))
  return sendAgain(run, run.doubt ?? new WorkerFault('ambiguous', 'NOT_TAKEN', 'the request never arrives'))
}

/** No answer that could be believed. It is over only when the lease is, and the worker was asked once more after that. */
async function doubted(run: AttemptRun, fault: WorkerFault): Promise<Phase> {
  run.doubt = fault
  run.doubts += 1
  const { task, lease, setting } = run
  if (task.fallback === 'immediate' && task.pure && run.doubts > 1) return giveUp(run, fault, setting.clock.monotonic())
  if (lease.leftMs === 0) return giveUp(run, fault, setting.clock.monotonic())
  const pauseMs = lasting.has(fault.kind) ? lease.leftMs : run.pace.next()
  await run.pause(Math.min(pauseMs, lease.leftMs))
  return { kind: 'asking' }
}
