import type { HandlerContext } from '../../../handler/index.ts'
import type { HttpParams, HttpUnit, PartialDownload } from './http-params.ts'
import type { Request } from './redirect.ts'
import type { RequestLimits } from './request-limits.ts'
import type { HttpTarget } from './target.ts'

export type HttpContext = HandlerContext<HttpParams, HttpUnit, PartialDownload>

/** What belongs to the request of one attempt. */
export interface HttpAttempt {
  readonly context: HttpContext
  readonly target: HttpTarget
  readonly request: Request
  readonly limits: RequestLimits
}

export interface Download extends HttpAttempt {
  readonly maxBytes: number
}
