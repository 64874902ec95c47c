import { cutText } from '../../domain/cut-text.ts'
import { harmlessText } from '../../domain/display-text.ts'
import { refusal } from '../../domain/wire/prediction.ts'
import { WorkerFault, type WorkerFaultKind } from '../worker-client.ts'
import { parseSafeJson } from './safe-json.ts'

/** What a refusal means by its code; the others are told by their HTTP status. */
const kindByCode: Readonly<Record<string, WorkerFaultKind>> = {
  unknown_type: 'not_served',
  unknown_version: 'not_served',
  file_missing: 'file_missing',
  too_large: 'rejected',
  input_differs: 'rejected',
  busy: 'busy',
  not_ready: 'slow_down',
  // On the way; the same bytes may arrive whole another time.
  hash_differs: 'protocol',
}

const kindByStatus: Readonly<Record<number, WorkerFaultKind>> = {
  401: 'key_refused',
  403: 'key_refused',
  408: 'slow_down',
  409: 'busy',
  413: 'rejected',
  422: 'rejected',
  429: 'slow_down',
  500: 'server_error',
  502: 'slow_down',
  503: 'slow_down',
  504: 'slow_down',
}

const wordsByKind: Readonly<Partial<Record<WorkerFaultKind, string>>> = {
  key_refused: 'it refused the key',
  busy: 'it has no free place',
  slow_down: 'it asks to be left alone for a while',
  server_error: 'it failed while answering',
  rejected: 'it refused the request',
  not_served: 'it does not serve that job type or version',
  file_missing: 'it lacks a file of the request',
}

/** Statuses that mean the same whatever the body says. */
const firm: ReadonlySet<number> = new Set([401, 403, 429, 500, 502, 504])

function readRefusal(body: string): { code: string; detail: string } | null {
  try {
    const parsed = refusal.safeParse(parseSafeJson(body))
    return parsed.success ? parsed.data : null
  } catch {
    return null
  }
}

/**
 * @param body text of the answer, as far as it was read; problem details are told in the message, anything else is not
 * @param retryAfterMs what the worker asked for
 */
export function faultOfStatus(status: number, body: string, retryAfterMs: number | null): WorkerFault {
  const said = readRefusal(body)
  const byCode = said === null || firm.has(status) ? undefined : kindByCode[said.code]
  const kind = byCode ?? kindByStatus[status] ?? (status >= 500 ? 'server_error' : 'protocol')
  const code = kind === 'busy' ? 'BUSY' : byCode === undefined ? `HTTP_${status}` : (said?.code.toUpperCase() ?? '')
  const words = wordsByKind[kind] ?? `it gave an answer that no worker gives here (HTTP ${status})`
  const detail = said === null ? '' : `: ${cutText(harmlessText(said.detail).replaceAll(/\s+/g, ' ').trim(), 500)}`
  return new WorkerFault(kind, code, `${words}${detail}`, { retryAfterMs })
}
