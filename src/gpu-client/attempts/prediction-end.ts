import type { AttemptEnd } from '../../domain/ports/attempt.ts'
import type { RemoteTask } from '../../domain/ports/remote-executor.ts'
import type { Prediction, PredictionErrorCode } from '../../domain/wire/prediction.ts'
import { type ReturnReason, recordOf } from './return-errors.ts'

type Without<Member, Key extends PropertyKey> = Member extends unknown ? Omit<Member, Key> : never

/** The end of an attempt without what every end is given when it is told. */
export type Ending = Without<AttemptEnd, 'elapsedMs' | 'output'>

/** Wait of an attempt that was told to slow down, and was not told for how long, ms. */
const rateLimitMs = 30_000
/** No worker may hold a unit back for longer, ms. */
const longestWaitMs = 24 * 3_600_000

/** @returns where the unit of a `prefer` job goes when its worker cannot bring it to an end */
export function fallbackOf(task: Pick<RemoteTask, 'fallback'>): 'gpu' | 'local' {
  return task.fallback === null ? 'gpu' : 'local'
}

/** What a prediction that failed, or was cancelled, means for its attempt (gpu-offload.md 3.4 and the decisions of the issue). */
export function endOfPrediction(
  worker: string,
  task: Pick<RemoteTask, 'fallback' | 'earlierRestarts' | 'unitTimeoutMs' | 'idleTimeoutMs'>,
  prediction: Pick<Prediction, 'status' | 'error' | 'error_code' | 'retry' | 'metrics'>,
): Ending {
  const text = prediction.error ?? 'it gave no reason'
  const returned = (to: 'gpu' | 'local', why: ReturnReason, code: string, said = text): Ending => ({
    kind: 'returned',
    to,
    why,
    error: recordOf(worker, code, said),
  })
  if (prediction.status === 'canceled') {
    const said = prediction.error ?? 'somebody cancelled it there'
    return returned(fallbackOf(task), 'refused', 'CANCELED', said)
  }
  const { retry } = prediction
  const code: PredictionErrorCode = prediction.error_code ?? 'WORKER_ERROR'
  switch (code) {
    case 'HANDLER_ERROR':
    case 'BAD_INPUT': {
      const isInput = code === 'BAD_INPUT'
      const error = recordOf(worker, code, text, { code: isInput ? 'handler_rejected' : 'handler_failed' })
      if (isInput) return { kind: 'failed', error, retry: 'never' }
      return {
        kind: 'failed',
        error,
        retry: typeof retry === 'object' && retry !== null ? { afterMs: waitOf(retry) } : (retry ?? 'policy'),
      }
    }
    case 'RATE_LIMITED':
      return {
        kind: 'rate_limited',
        waitMs: typeof retry === 'object' && retry !== null ? waitOf(retry) : rateLimitMs,
        message: recordOf(worker, code, text, { code: 'rate_limited' }).message,
      }
    case 'TIMEOUT':
      return timedOut(task, prediction)
    case 'OUT_OF_MEMORY':
      if (task.fallback !== null) return returned('local', 'out_of_memory', code)
      return { kind: 'failed', error: recordOf(worker, code, text, { code: 'out_of_memory' }), retry: 'policy' }
    case 'LEASE_EXPIRED':
      return returned('gpu', 'lease_expired', code)
    case 'WORKER_RESTARTED':
      return restarted(worker, task, text)
    case 'WORKER_ERROR':
      return returned(fallbackOf(task), 'refused', code)
  }
}

/** The worker lost the attempt in a restart: once more on a GPU, then here. */
export function restarted(
  worker: string,
  task: Pick<RemoteTask, 'fallback' | 'earlierRestarts'>,
  text: string,
): Ending {
  const to = task.earlierRestarts === 0 ? 'gpu' : fallbackOf(task)
  return { kind: 'returned', to, why: 'restarted', error: recordOf(worker, 'WORKER_RESTARTED', text) }
}

/** Whole ms: times of the queue are. */
function waitOf({ after_ms }: { readonly after_ms: number }): number {
  return Math.ceil(Math.min(after_ms, longestWaitMs))
}

/** The worker does not say which limit it was; one that had not run for as long as a unit may was silent. */
function timedOut(
  { unitTimeoutMs, idleTimeoutMs }: Pick<RemoteTask, 'unitTimeoutMs' | 'idleTimeoutMs'>,
  { metrics }: Pick<Prediction, 'metrics'>,
): Ending {
  const ranMs = (metrics.predict_time ?? 0) * 1_000
  const isIdle = idleTimeoutMs !== null && (unitTimeoutMs === null || ranMs < unitTimeoutMs)
  const limitMs = Math.round((isIdle ? idleTimeoutMs : unitTimeoutMs) ?? ranMs)
  return { kind: 'timed_out', which: isIdle ? 'idle' : 'unit', limitMs }
}
