import { randomBytes } from 'node:crypto'
import {
  isInitializeRequest,
  type Server,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server'
import type { Connection } from '../served.ts'
import { countUnansweredRequests } from '../unanswered-requests.ts'
import type { Identity } from './authenticator.ts'
import type { Exchange } from './exchanges.ts'
import { largestBodyBytes, sessionHeader } from './guard.ts'
import { busy, refusal, rpcCode } from './refusal.ts'
import { createSessionEvents } from './session-events.ts'

const mostSessions = 200
/** A session without an open request for so long has ended, ms. */
const idleMs = 30 * 60_000
/** Of one session. A client that gave up a request without cancelling it has left it here until it is answered. */
const mostUnanswered = 64

export interface SessionsOptions {
  readonly createServer: (connection: Connection) => Server
  /** Monotonic ms. */
  readonly clock: () => number
  readonly report: (error: Error) => void
}

interface Session {
  readonly id: string
  readonly principal: string
  readonly server: Server
  readonly transport: WebStandardStreamableHTTPServerTransport
  unanswered: () => number
  /** Open requests and streams. */
  open: number
  lastUsed: number
}

/** Connections of clients up to 2025-11-25: a server of its own for each, found by the id in a header. */
export interface Sessions {
  /**
   * @param message the parsed body of a POST, undefined otherwise
   * @param exchange its end is the end of this use of the session
   */
  serve(request: Request, message: unknown, identity: Identity, exchange: Exchange): Promise<Response>
  /** Ends sessions that nobody used for long. */
  sweep(): void
  close(): Promise<void>
}

export function createSessions({ createServer, clock, report }: SessionsOptions): Sessions {
  const sessions = new Map<string, Session>()

  const end = async (session: Session): Promise<void> => {
    sessions.delete(session.id)
    await session.server.close().catch(report)
  }

  const oldestIdle = (): Session | undefined => {
    let oldest: Session | undefined
    for (const one of sessions.values()) {
      if (one.open === 0 && (oldest === undefined || one.lastUsed < oldest.lastUsed)) oldest = one
    }
    return oldest
  }

  /** A session is in use until the exchange ends. */
  const occupy = (session: Session, exchange: Exchange) => {
    session.open += 1
    exchange.onEnd(() => {
      session.open -= 1
      session.lastUsed = clock()
    })
  }

  async function start(principal: string, exchange: Exchange): Promise<Session | null> {
    const isFull = sessions.size >= mostSessions
    const oldest = isFull ? oldestIdle() : undefined
    if (isFull && oldest === undefined) return null
    const id = randomBytes(16).toString('hex')
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => id,
      maxRequestBodySize: largestBodyBytes,
      eventStore: createSessionEvents(),
      retryInterval: 1_000,
    })
    const server = createServer({ era: 'legacy', principal })
    const session: Session = { id, principal, server, transport, unanswered: () => 0, open: 0, lastUsed: clock() }
    // In one turn: of many that begin at once none takes a place twice.
    if (oldest !== undefined) void end(oldest)
    sessions.set(id, session)
    occupy(session, exchange)
    await server.connect(transport)
    session.unanswered = countUnansweredRequests(transport, () => {})
    const onclose = transport.onclose
    transport.onclose = () => {
      sessions.delete(id)
      onclose?.()
    }
    return session
  }

  async function handle({ transport }: Session, request: Request, message: unknown): Promise<Response> {
    endCancelledStreams(transport, message)
    return transport.handleRequest(request, message === undefined ? {} : { parsedBody: message })
  }

  return {
    async serve(request, message, identity, exchange) {
      const { principal } = identity
      const id = request.headers.get(sessionHeader)
      if (id === null) {
        if (!isInitializeRequest(message)) return noSession()
        const begun = await start(principal, exchange)
        if (begun === null) return busy(`All ${mostSessions} sessions are in use. Try again in a moment.`)
        const response = await handle(begun, request, message)
        // Refused before it began, say for its Accept header: nobody will ever name it.
        if (begun.transport.sessionId === undefined) await end(begun)
        return response
      }
      const session = sessions.get(id)
      // Whose it is stays untold: for anybody else it is not there.
      if (session === undefined || session.principal !== principal) return unknownSession()
      if (request.method === 'POST' && session.unanswered() >= mostUnanswered && asks(message)) {
        const text = `${mostUnanswered} requests of this session wait for their answers. Send more when some were answered.`
        return refusal(429, text, { headers: { 'retry-after': '1' } })
      }
      occupy(session, exchange)
      return handle(session, request, message)
    },
    sweep() {
      const oldest = clock() - idleMs
      for (const one of [...sessions.values()]) if (one.open === 0 && one.lastUsed <= oldest) void end(one)
    },
    async close() {
      await Promise.all([...sessions.values()].map(end))
    },
  }
}

/** Cancelled requests are never answered, so their streams would stay open. */
function endCancelledStreams(transport: WebStandardStreamableHTTPServerTransport, message: unknown): void {
  for (const one of [message].flat()) {
    const { method, params } = (one ?? {}) as { method?: unknown; params?: { requestId?: unknown } }
    const id = params?.requestId
    if (method !== 'notifications/cancelled' || (typeof id !== 'string' && typeof id !== 'number')) continue
    // After the server has heard of it.
    setImmediate(() => transport.closeSSEStream(id))
  }
}

/** @returns true when it holds a request, to which an answer is due */
function asks(message: unknown): boolean {
  return [message].flat().some((one) => typeof one === 'object' && one !== null && 'method' in one && 'id' in one)
}

function noSession(): Response {
  return refusal(
    400,
    'The header Mcp-Session-Id is missing. Send initialize first, without it, and then the id from the header of its answer; or speak 2026-07-28, which needs no session.',
    { code: rpcCode.refused },
  )
}

function unknownSession(): Response {
  return refusal(
    404,
    'There is no such session: it ended. Send initialize, without Mcp-Session-Id, to begin another.',
    {
      code: rpcCode.sessionNotFound,
    },
  )
}
