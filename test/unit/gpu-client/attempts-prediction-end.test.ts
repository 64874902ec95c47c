import { expect, test } from 'vitest'
import type { Prediction } from '../../../src/domain/wire/prediction.ts'
import { endOfPrediction } from '../../../src/gpu-client/attempts/prediction-end.ts'

const task = { fallback: 'after_lease', earlierRestarts: 0, unitTimeoutMs: null, idleTimeoutMs: null } as const

function endOf(errorCode: Prediction['error_code'], afterMs: number): ReturnType<typeof endOfPrediction> {
  const retry = { after_ms: afterMs }
  return endOfPrediction('rig', task, {
    status: 'failed',
    error: 'x',
    error_code: errorCode,
    retry,
    metrics: {} as never,
  })
}

// The queue keeps times as whole numbers: an end with a fraction could never be committed.
test.each([
  [0.5, 1],
  [2_000.25, 2_001],
  [1e300, 24 * 3_600_000],
])('a worker that names %d ms is waited for %d', (named, waited) => {
  expect(endOf('HANDLER_ERROR', named)).toMatchObject({ kind: 'failed', retry: { afterMs: waited } })
  expect(endOf('RATE_LIMITED', named)).toMatchObject({ kind: 'rate_limited', waitMs: waited })
})
