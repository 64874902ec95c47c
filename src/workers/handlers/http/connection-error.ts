import { Reject } from '../../../handler/index.ts'
import { outcomeOf } from '../../../handler/outcomes.ts'
import { TooSlow } from './request-limits.ts'
import { shownText, shownUrl } from './shown.ts'

const sentences: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused the connection',
  ECONNRESET: 'cut the connection',
  EPIPE: 'cut the connection',
  UND_ERR_SOCKET: 'cut the connection',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'sent less than it had announced',
  ENOTFOUND: 'is not known to the name service',
  EAI_AGAIN: 'could not be looked up: the name service does not answer',
  ETIMEDOUT: 'does not answer',
  UND_ERR_CONNECT_TIMEOUT: 'does not answer',
  EHOSTUNREACH: 'cannot be reached',
  ENETUNREACH: 'cannot be reached: no network',
  UND_ERR_HEADERS_OVERFLOW: 'sent more headers than can be taken',
}

/**
 * @param error thrown by a request or while its body came
 * @returns an error whose message names the host and what happened; what a handler throws on purpose stays as it is
 */
export function connectionError(error: unknown, url: URL): unknown {
  if (outcomeOf(error) !== null || !(error instanceof Error)) return error
  if (error instanceof TooSlow) return new Error(`${shownUrl(url)}: ${error.message}`)
  const { code, message } = innermost(error)
  if (code === 'UND_ERR_INVALID_ARG') return new Reject(`${shownUrl(url)} cannot be requested: ${shownText(message)}`)
  if (error.name === 'HTTPParserError') return new Error(`${url.host} does not speak HTTP: ${shownText(message)}`)
  if (/CERT|_TLS_|SSL|UNABLE_TO_|SELF_SIGNED/.test(code))
    return new Error(`no safe connection to ${url.host}: ${shownText(message)} (${code})`)
  const sentence = sentences[code]
  return new Error(`${url.host} ${sentence ?? `failed: ${shownText(message)}`}`, { cause: error })
}

/** Several addresses of one host fail with an error each. */
function innermost(error: Error): { readonly code: string; readonly message: string } {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error
  const { code, message } = first as { code?: unknown; message?: unknown }
  return { code: String(code ?? ''), message: String(message ?? error.message) }
}
