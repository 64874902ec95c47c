import { refusal } from './refusal.ts'

export const mcpPath = '/mcp'
/** As on stdio. */
export const largestBodyBytes = 10 * 1024 * 1024
export const sessionHeader = 'mcp-session-id'

export interface GuardOptions {
  /** Names beside those of this machine by which clients may reach the server: those of a reverse proxy. Lower case. */
  readonly publicNames: readonly string[]
}

/** @returns true for names and addresses that reach this machine alone */
export function isLoopbackName(name: string): boolean {
  return name === 'localhost' || name === '::1' || name === '[::1]' || /^127(\.\d{1,3}){3}$/.test(name)
}

/** @returns the name in a Host header, lower case; null when it is not a name with perhaps a port */
export function hostName(header: string): string | null {
  return /^(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::\d{1,5})?$/i.exec(header)?.[1]?.toLowerCase().replace(/\.$/, '') ?? null
}

/**
 * Refuses what a page in a browser may send on behalf of somebody else: a name that was made to lead here (DNS rebinding)
 * shows in Host, a foreign page in Origin.
 * @returns null when the request may go on
 */
export function guardAddress(request: Request, options: GuardOptions): Response | null {
  const host = request.headers.get('host') ?? ''
  const name = hostName(host)
  if (name === null || !(isLoopbackName(name) || options.publicNames.includes(name))) {
    return refusal(
      403,
      `This server does not answer to the name "${shown(host)}". Use 127.0.0.1 or localhost, or start it with --public-name and the name of the reverse proxy.`,
    )
  }
  const origin = request.headers.get('origin')
  if (origin === null || isKnownOrigin(origin, options.publicNames)) return null
  return refusal(
    403,
    `Pages of ${shown(origin)} may not call this server. Clients that are no web page send no Origin header; pages must come from this machine or from a --public-name.`,
  )
}

/** @returns null for a request that can be a message to `/mcp`: method, type and declared length of its body */
export function guardMessage(request: Request): Response | null {
  const { method, headers } = request
  if (method === 'GET' || method === 'DELETE') {
    if (headers.has(sessionHeader)) return null
    return refusal(
      405,
      `${method} works only within a session (header Mcp-Session-Id, from the answer to initialize). Send messages with POST.`,
      { headers: { allow: 'POST' } },
    )
  }
  if (method !== 'POST') {
    return refusal(405, `${shown(method)} is not understood here. Send messages with POST.`, {
      headers: { allow: 'POST, GET, DELETE' },
    })
  }
  if (!/^application\/json\s*(;|$)/i.test(headers.get('content-type') ?? '')) {
    return refusal(415, 'The body must be JSON: send Content-Type: application/json.')
  }
  if (!/^(identity)?$/i.test(headers.get('content-encoding') ?? '')) {
    return refusal(415, 'The body must not be compressed: leave Content-Encoding out.')
  }
  return Number(headers.get('content-length') ?? 0) > largestBodyBytes ? tooLarge() : null
}

export function tooLarge(): Response {
  return refusal(
    413,
    `The message is larger than ${largestBodyBytes} bytes. Put large data into a file and name its path in the call.`,
  )
}

function isKnownOrigin(origin: string, publicNames: readonly string[]): boolean {
  const name = hostName(/^https?:\/\/([^/]+)$/i.exec(origin)?.[1] ?? '')
  return name !== null && (isLoopbackName(name) || (publicNames.includes(name) && /^https:/i.test(origin)))
}

/** What others sent, short and in plain characters. */
function shown(text: string): string {
  return text.replace(/[^\x21-\x7e]/g, '?').slice(0, 100)
}
