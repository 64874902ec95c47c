import { type HandlerLog, Reject } from '../../../handler/index.ts'
import { type Headers, harmlessHeaders } from './request-headers.ts'
import { shownText, shownUrl } from './shown.ts'

export interface Request {
  readonly url: URL
  readonly method: string
  readonly headers: Headers
  readonly body: string | null
  /** Most that are followed. */
  readonly redirects: number
}

const statuses = new Set([301, 302, 303, 307, 308])

export function isRedirect(status: number): boolean {
  return statuses.has(status)
}

/**
 * @returns the request that follows a redirect, as browsers make it; another origin gets no header that could tell who asks
 * @throws Reject for one that is not followed: to no URL, to neither http nor https, from https to http
 */
export function redirected(request: Request, status: number, location: string, log: HandlerLog): Request {
  const from = shownUrl(request.url)
  if (!URL.canParse(location, request.url.href))
    throw new Reject(`${from} redirects to ${shownText(location)}, which is no URL`)
  const url = new URL(location, request.url)
  url.hash = ''
  url.username = ''
  url.password = ''
  const refuse = (why: string) => new Reject(`${from} redirects to ${shownUrl(url)}, which is not followed: ${why}`)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw refuse('it is neither http nor https')
  if (request.url.protocol === 'https:' && url.protocol === 'http:') throw refuse('it is not encrypted any more')
  let { method, body, headers } = request
  const becomesGet = status === 303 ? method !== 'HEAD' : (status === 301 || status === 302) && method === 'POST'
  if (becomesGet && method !== 'GET') {
    method = 'GET'
    body = null
    headers = Object.fromEntries(
      Object.entries(headers).filter(([name]) => name !== 'content-type' && name !== 'idempotency-key'),
    )
  }
  if (url.origin !== request.url.origin) {
    const kept = harmlessHeaders(headers)
    const left = Object.keys(headers).filter((name) => !(name in kept))
    headers = kept
    if (left.length > 0) log.info(`redirected to ${url.origin}: the headers ${left.join(', ')} are not sent to it`)
  }
  return { ...request, url, method, body, headers }
}
