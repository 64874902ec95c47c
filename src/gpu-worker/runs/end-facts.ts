import { cutText } from '../../domain/cut-text.ts'
import type { ErrorRecord } from '../../domain/errors.ts'
import type { Json } from '../../domain/job.ts'
import type { ArtifactFacts, AttemptEnd } from '../../domain/ports/attempt.ts'
import type { Prediction, PredictionErrorCode, PredictionStatus } from '../../domain/wire/prediction.ts'

/** How a prediction ended, as it is told. */
export interface EndFacts {
  readonly status: Exclude<PredictionStatus, 'starting' | 'processing'>
  readonly output?: Json
  readonly artifacts: readonly ArtifactFacts[]
  readonly error: string | null
  readonly errorCode: PredictionErrorCode | null
  readonly retry: Prediction['retry']
  readonly elapsedMs: number
}

/** Why the worker itself ended a run; null: it did not. */
export type StopCause = 'cancel' | 'lease' | 'shutdown' | null

const longestError = 16_000

/** @returns what an end means for the client */
export function endFactsOf(end: AttemptEnd, cause: StopCause): EndFacts {
  const { elapsedMs } = end
  switch (end.kind) {
    case 'completed':
      return { ...empty, status: 'succeeded', output: end.result, artifacts: end.artifacts, elapsedMs }
    case 'failed':
      return {
        ...failed(codeOf(end.error), sentenceOf(end.error), elapsedMs),
        retry: typeof end.retry === 'string' ? end.retry : { after_ms: end.retry.afterMs },
      }
    case 'rate_limited':
      return { ...failed('RATE_LIMITED', end.message, elapsedMs), retry: { after_ms: end.waitMs } }
    case 'timed_out': {
      const what = end.which === 'unit' ? 'it ran longer than' : 'it gave no sign for'
      return failed('TIMEOUT', `${what} ${end.limitMs} ms`, elapsedMs)
    }
    case 'stopped':
      return stoppedFacts(cause, end.survivors, elapsedMs)
    case 'not_started':
      return failed('WORKER_ERROR', sentenceOf(end.error), elapsedMs)
    case 'returned':
      return failed('WORKER_ERROR', sentenceOf(end.error), elapsedMs)
    case 'exited':
      return failed('WORKER_ERROR', `it ended with exit code ${end.exitCode}`, elapsedMs)
    case 'released':
    case 'lost':
      return cause === null ? failed('WORKER_ERROR', end.message, elapsedMs) : stoppedFacts(cause, [], elapsedMs)
  }
}

/** @returns the end of what a restart of the worker interrupted */
export function restarted(elapsedMs: number): EndFacts {
  return failed('WORKER_RESTARTED', 'the worker was restarted while it ran', elapsedMs)
}

/** @returns the end of what the worker could not bring to an end */
export function workerError(message: string, elapsedMs: number): EndFacts {
  return failed('WORKER_ERROR', message, elapsedMs)
}

function stoppedFacts(cause: StopCause, survivors: readonly number[], elapsedMs: number): EndFacts {
  const left = survivors.length === 0 ? '' : `; still running: ${survivors.join(', ')}`
  if (cause === 'lease') return failed('LEASE_EXPIRED', `nobody renewed its lease, so it was ended${left}`, elapsedMs)
  if (cause === 'shutdown') return restarted(elapsedMs)
  return { ...empty, status: 'canceled', error: left === '' ? null : `it was cancelled${left}`, elapsedMs }
}

function codeOf({ code }: ErrorRecord): PredictionErrorCode {
  if (code === 'handler_rejected' || code === 'invalid_input') return 'BAD_INPUT'
  if (code === 'out_of_memory') return 'OUT_OF_MEMORY'
  if (code === 'handler_failed' || code === 'result_invalid' || code === 'command_failed') return 'HANDLER_ERROR'
  return 'WORKER_ERROR'
}

function sentenceOf({ message, details }: ErrorRecord): string {
  const at = details?.['at']
  return typeof at === 'string' ? `${message} (${at})` : message
}

const empty = { artifacts: [], error: null, errorCode: null, retry: null } as const

function failed(errorCode: PredictionErrorCode, error: string, elapsedMs: number): EndFacts {
  return { ...empty, status: 'failed', error: cutText(error, longestError), errorCode, elapsedMs }
}
