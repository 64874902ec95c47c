import type { Prediction } from '../../domain/wire/prediction.ts'
import type { WorkerFault } from '../worker-client.ts'
import type { AttemptRun } from './attempt-run.ts'
import { endedAs, type Phase, type Purpose } from './phases.ts'
import { type Ending, endOfPrediction, fallbackOf } from './prediction-end.ts'
import { reasonOf, recordOfFault } from './return-errors.ts'

const mostPuts = 3

/** It was asked to stop. */
export function stopped(run: AttemptRun): Phase {
  run.heard()
  const purpose: Purpose = { kind: 'stop' }
  if (!run.tries.mayRun) return endedAs(endFor(run, purpose))
  return windingDown(run, purpose, afterGrace(run))
}

export function overtime(run: AttemptRun, limitMs: number): Phase {
  return windingDown(run, { kind: 'overtime', limitMs }, afterGrace(run))
}

/** @param until monotonic ms before which it is not over unless the worker says so */
export function giveUp(run: AttemptRun, fault: WorkerFault, until: number): Phase {
  return windingDown(run, { kind: 'give_up', why: reasonOf(fault), error: recordOfFault(run.worker, fault) }, until)
}

function windingDown(run: AttemptRun, purpose: Purpose, until: number): Phase {
  run.pace.reset()
  return { kind: 'winding_down', purpose, until, isCancelled: false }
}

/** By then a worker that heard of it has cancelled it, and one that did not has seen the lease end. */
export function afterGrace(run: AttemptRun): number {
  return run.setting.clock.monotonic() + run.task.cancelGraceMs + run.leaseMs
}

export function endFor(run: AttemptRun, purpose: Purpose): Ending {
  switch (purpose.kind) {
    case 'stop':
      return { kind: 'stopped', reason: run.stopReason ?? 'release', survivors: [] }
    case 'overtime':
      return { kind: 'timed_out', which: 'unit', limitMs: purpose.limitMs }
    case 'give_up':
      return { kind: 'returned', to: fallbackOf(run.task), why: purpose.why, error: purpose.error }
  }
}

/** The worker does not know it: the request never arrived, and is sent again, the same bytes under the same id. */
export function sendAgain(run: AttemptRun, fault: WorkerFault): Phase {
  if (run.puts < mostPuts) return { kind: 'sending' }
  return giveUp(run, fault, run.lease.endsAt)
}

export function hasEnded({ status }: Prediction): boolean {
  return status === 'succeeded' || status === 'failed' || status === 'canceled'
}

/** @param purpose why it was cancelled from here; null: it was not */
export async function judge(run: AttemptRun, found: Prediction, purpose: Purpose | null): Promise<Phase> {
  run.hasEndedThere = true
  await run.news.drain(found)
  if (found.status === 'succeeded') return { kind: 'collecting', found, purpose }
  if (found.status === 'canceled' && purpose !== null) return endedAs(endFor(run, purpose))
  const end = endOfPrediction(run.worker, run.task, found)
  if (end.kind !== 'returned') return endedAs(end)
  // What the worker could not bring to an end was to end anyway.
  if (run.stopReason !== null) return endedAs(endFor(run, { kind: 'stop' }))
  return endedAs(purpose?.kind === 'overtime' ? endFor(run, purpose) : end)
}
