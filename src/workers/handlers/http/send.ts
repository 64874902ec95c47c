import type { IncomingHttpHeaders } from 'node:http'
import type { Agent, Dispatcher } from 'undici'
import { type HandlerLog, Reject } from '../../../handler/index.ts'
import { connectionError } from './connection-error.ts'
import { isRedirect, type Request, redirected } from './redirect.ts'
import { discard, type RequestLimits } from './request-limits.ts'
import { shownUrl } from './shown.ts'

export interface Answer {
  readonly status: number
  readonly statusText: string
  readonly headers: IncomingHttpHeaders
  readonly body: Dispatcher.ResponseData['body']
  /** Where it came from. */
  readonly url: URL
}

let agent: Agent | null = null

/** Connections are kept for the next unit of this thread; idle ones close by themselves after seconds and keep nothing alive. */
async function sharedAgent(): Promise<Agent> {
  if (agent === null) {
    const { Agent } = await import('undici')
    // Waits are bounded by RequestLimits.
    agent ??= new Agent({ headersTimeout: 0, bodyTimeout: 0, connect: { timeout: 30_000 }, maxHeaderSize: 65_536 })
  }
  return agent
}

/**
 * Sends a request and follows redirects. From https it never goes to http, and another origin gets no header that could tell who
 * asks.
 * @returns the answer; the caller reads or discards its body
 * @throws Reject for a redirect that is not followed; Error naming the host when there is no answer
 */
export async function send(request: Request, limits: RequestLimits, log: HandlerLog): Promise<Answer> {
  let current = request
  for (let followed = 0; ; followed += 1) {
    const answer = await sendOnce(current, limits)
    const location = firstOf(answer.headers.location)
    if (!isRedirect(answer.status) || location === undefined || request.redirects === 0) return answer
    discard(answer.body)
    if (followed === request.redirects)
      throw new Reject(`${shownUrl(request.url)} redirects more than ${request.redirects} times`)
    current = redirected(current, answer.status, location, log)
  }
}

async function sendOnce({ url, method, headers, body }: Request, limits: RequestLimits): Promise<Answer> {
  const dispatcher = await sharedAgent()
  try {
    const { signal } = limits
    const sent = dispatcher.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: method as Dispatcher.HttpMethod,
      headers,
      body,
      signal,
    })
    const { statusCode, statusText, headers: answered, body: answerBody } = await limits.answer(sent)
    return { status: statusCode, statusText, headers: answered, body: answerBody, url }
  } catch (error) {
    throw connectionError(error, url)
  }
}

/** @returns the first value of a header that may have come several times */
export function firstOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}

/**
 * @param leastBytes so many must come within the idle limit
 * @returns the body as it comes
 * @throws Error naming the host when it is cut
 */
export async function* bodyPieces(
  { body, url }: Answer,
  limits: RequestLimits,
  leastBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* limits.pieces(body, leastBytes)
  } catch (error) {
    throw connectionError(error, url)
  }
}
