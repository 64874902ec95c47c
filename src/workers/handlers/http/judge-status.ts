import { RateLimited, Reject } from '../../../handler/index.ts'
import type { HttpParams } from './http-params.ts'
import type { RequestLimits } from './request-limits.ts'
import { type Answer, firstOf } from './send.ts'
import { shownText, shownUrl } from './shown.ts'

/** A server that says longer is asked again after this. */
const longestWaitMs = 3_600_000
const leastWaitMs = 1000
const longestExcerpt = 4096

/** They pass, or may. */
const passing = new Set([408, 425, 429])

/** @returns true when the status completes the unit */
export function isExpected(status: number, expected: HttpParams['expect_status']): boolean {
  return expected.some((one) => one === status || one === `${Math.floor(status / 100)}xx`)
}

/**
 * Throws what an unexpected status means: wait (429 and 503 with Retry-After), try again (408, 425, 429, 5xx), or never again.
 * @param now ms UTC, for a Retry-After that is a date, unless the server says its own time
 */
export async function refuseStatus(answer: Answer, limits: RequestLimits, now: number): Promise<never> {
  const { status, statusText } = answer
  const excerpt = await excerptOf(answer, limits)
  const message = `${shownUrl(answer.url)} answered ${status}${statusText === '' ? '' : ` ${shownText(statusText, 60)}`}${excerpt}`
  if (status === 429 || status === 503) {
    const waitMs = retryAfterMs(answer, now)
    if (waitMs !== null) throw new RateLimited(Math.min(Math.max(waitMs, leastWaitMs), longestWaitMs), message)
  }
  if (status >= 500 || passing.has(status)) throw new Error(message)
  throw new Reject(message)
}

/** @returns null when the server does not say, or says nonsense */
function retryAfterMs({ headers }: Answer, now: number): number | null {
  const text = firstOf(headers['retry-after'])?.trim() ?? ''
  if (/^\d{1,15}$/.test(text)) return Number(text) * 1000
  const until = Date.parse(text)
  if (Number.isNaN(until) || !/[A-Za-z]/.test(text)) return null
  const serverNow = Date.parse(firstOf(headers.date) ?? '')
  return until - (Number.isNaN(serverNow) ? now : serverNow)
}

/** What a server says about its refusal often tells what to do. */
async function excerptOf({ body, headers }: Answer, limits: RequestLimits): Promise<string> {
  const type = firstOf(headers['content-type']) ?? ''
  const isPlain = headers['content-encoding'] === undefined && /json|^text\/plain/i.test(type)
  let text = ''
  try {
    for await (const piece of limits.pieces(body, 1)) {
      text += isPlain ? Buffer.from(piece).toString('utf8') : ''
      if (!isPlain || text.length >= longestExcerpt) break
    }
  } catch {
    limits.signal.throwIfAborted()
  }
  const shown = shownText(text.replace(/\s+/g, ' ').trim(), 300)
  return shown === '' ? '' : `: ${shown}`
}
