import { Reject } from '../../../handler/index.ts'
import { download } from './download.ts'
import type { HttpAttempt, HttpContext } from './http-context.ts'
import { defaultBodyBytes, defaultDownloadBytes, type HttpParams, type HttpResult } from './http-params.ts'
import { isExpected, refuseStatus } from './judge-status.ts'
import { bodyValue, readContent } from './read-body.ts'
import type { Request } from './redirect.ts'
import { requestHeaders } from './request-headers.ts'
import { discard, RequestLimits } from './request-limits.ts'
import { type Answer, send } from './send.ts'
import { shownUrl } from './shown.ts'
import { targetOf } from './target.ts'

const defaultTimeoutMs = 60_000

/** One unit of the job type `http`. */
export async function performHttp(context: HttpContext): Promise<HttpResult> {
  const { params, unit, position, signal } = context
  const target = targetOf({ params, unit, position, dependencies: context.dependencies })
  const isDownload = params.download !== false
  const request: Request = {
    url: target.url,
    method: params.method,
    headers: {
      ...requestHeaders(params, context.environment, context.unitId),
      'accept-encoding': isDownload ? 'identity' : 'gzip, br',
    },
    body: params.json === undefined ? (params.body ?? null) : JSON.stringify(params.json),
    redirects: params.redirects,
  }
  const totalMs = params.timeout_s === undefined ? (isDownload ? null : defaultTimeoutMs) : params.timeout_s * 1000
  const limits = new RequestLimits({ signal, idleMs: params.idle_s * 1000, totalMs })
  try {
    const attempt = { context, target, request, limits }
    return isDownload ? await downloaded(attempt) : await fetched(attempt)
  } catch (error) {
    context.cancellation.throwIfCancelled()
    throw error
  } finally {
    limits.close()
  }
}

async function downloaded(attempt: HttpAttempt): Promise<HttpResult> {
  const { params } = attempt.context
  const { answer, resumedAt, ...facts } = await download({
    ...attempt,
    maxBytes: params.max_bytes ?? defaultDownloadBytes,
  })
  return { ...answerFacts(answer, params), ...facts, ...(resumedAt === null ? {} : { resumed_at: resumedAt }) }
}

async function fetched({ context, target, request, limits }: HttpAttempt): Promise<HttpResult> {
  const { params, log } = context
  const answer = await send(request, limits, log)
  if (!isExpected(answer.status, params.expect_status)) await refuseStatus(answer, limits, Date.now())
  const facts = answerFacts(answer, params)
  if (params.read === 'none' && target.sha256 === null) {
    discard(answer.body)
    return facts
  }
  const content = await readContent(answer, limits, params.max_bytes ?? defaultBodyBytes)
  if (target.sha256 !== null && target.sha256 !== content.sha256)
    throw new Reject(`the body of ${shownUrl(answer.url)} has the sha256 ${content.sha256}, not ${target.sha256}`)
  const { bytes, sha256 } = content
  return {
    ...facts,
    bytes: bytes.length,
    ...(target.sha256 === null ? {} : { sha256 }),
    ...(params.read === 'none' ? {} : bodyValue(content, answer, params.read)),
  }
}

function answerFacts({ status, url, headers }: Answer, params: HttpParams): HttpResult {
  const chosen: Record<string, string> = {}
  for (const name of params.response_headers.map((one) => one.toLowerCase())) {
    const value = Object.hasOwn(headers, name) ? headers[name] : undefined
    if (value !== undefined) chosen[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return { status, url: url.href, headers: chosen }
}
