import { type ErrorCode, errorKinds, QueueError } from '../../domain/errors.ts'
import type { Problem } from '../../domain/wire/manager.ts'

const retryAfterMs = 1_000

/** @returns the problem document (RFC 9457) of any thrown value; unknown ones tell nothing of their inside. */
export function problemOf(thrown: unknown): Problem {
  const error =
    thrown instanceof QueueError
      ? thrown
      : new QueueError('internal', 'an unexpected error happened inside the manager')
  const kind = errorKinds[error.code as ErrorCode]
  return {
    type: `https://github.com/nightkiln/nightkiln/blob/main/docs/errors.md#${error.code}`,
    title: kind.meaning,
    status: kind.httpStatus,
    detail: error.message,
    code: error.code,
    remedy: error.remedy,
    ...(kind.httpStatus === 429 || kind.httpStatus === 503 ? { retry_after_ms: retryAfterMs } : {}),
    ...(Object.keys(error.details).length > 0
      ? { details: JSON.parse(JSON.stringify(error.details)) as NonNullable<Problem['details']> }
      : {}),
  }
}
