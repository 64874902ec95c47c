import type { z } from 'zod'
import type { refusal } from '../domain/wire/prediction.ts'

export type RefusalCode = z.infer<typeof refusal>['code']

const statuses: Readonly<Record<RefusalCode, number>> = {
  bad_request: 400,
  key_refused: 401,
  not_found: 404,
  busy: 409,
  input_differs: 422,
  unknown_type: 422,
  unknown_version: 422,
  file_missing: 422,
  hash_differs: 422,
  too_large: 413,
  not_ready: 503,
}

/** What a request is answered with instead of what it asked for. */
export class Refused extends Error {
  readonly code: RefusalCode
  readonly status: number
  /** Seconds after which the same request may be taken; null: the answer stays the same. */
  readonly retryAfterS: number | null

  /** @param detail one sentence for people: what is wrong, with which value */
  constructor(code: RefusalCode, detail: string, options: { status?: number; retryAfterS?: number } = {}) {
    super(detail)
    this.name = 'Refused'
    this.code = code
    this.status = options.status ?? statuses[code]
    this.retryAfterS = options.retryAfterS ?? null
  }
}
