import { createMcpHandler, isLegacyRequest, type Server } from '@modelcontextprotocol/server'
import type { Connection, ServedParts } from '../served.ts'
import { createHttpSubscriptions } from '../subscriptions/http-subscriptions.ts'
import type { Authenticator, Identity } from './authenticator.ts'
import { createExchanges, type Exchange } from './exchanges.ts'
import { type GuardOptions, guardAddress, guardMessage, largestBodyBytes, mcpPath } from './guard.ts'
import { HeaderCheckedServer } from './header-checked-server.ts'
import type { ProtectedResource } from './oauth-metadata.ts'
import { readMessage } from './read-message.ts'
import { busy, refusal, rpcCode } from './refusal.ts'
import { createSessions } from './sessions.ts'

export interface HttpAppOptions extends GuardOptions {
  readonly parts: ServedParts
  /** A server for one request of a modern client, or for one session of an older one. */
  readonly createServer: (connection: Connection) => Server
  readonly authenticator: Authenticator
  /** Null without an issuer. */
  readonly resource: ProtectedResource | null
  /** Monotonic ms. */
  readonly clock: () => number
  readonly report: (error: Error) => void
}

/** What the listener knows of the connection of a request. */
export interface HttpConnection {
  /** The body as it arrives; that of the request when left out. Ending the reading early must not end the connection. */
  readonly body: AsyncIterable<Uint8Array>
  /** Ends the connection of a client that does not read. */
  hangUp(): void
}

/** MCP over HTTP, both eras, as a function of requests. */
export interface HttpApp {
  fetch(request: Request, connection?: HttpConnection): Promise<Response>
  /** Ends what is idle or no longer allowed; to be called every few seconds. */
  sweep(): void
  /** Ends every session and stream. Jobs go on. */
  close(): Promise<void>
}

export function createHttpApp(options: HttpAppOptions): HttpApp {
  const { authenticator, resource, report, createServer, parts } = options
  const exchanges = createExchanges()
  const subscriptions = createHttpSubscriptions(parts)
  const sessions = createSessions(options)
  const handler = createMcpHandler(
    async ({ era, authInfo }) => {
      const server = createServer({ era, principal: authInfo?.clientId ?? '' })
      return new HeaderCheckedServer(server, await parts.tools(null))
    },
    { legacy: 'reject', bus: subscriptions.bus, maxRequestBodySize: largestBodyBytes },
  )

  async function serve(
    request: Request,
    body: AsyncIterable<Uint8Array> | null,
    identity: Identity,
    exchange: Exchange,
  ): Promise<Response> {
    if (request.method !== 'POST') return sessions.serve(request, undefined, identity, exchange)
    const read = await readMessage(body, exchange.reserve)
    if ('refused' in read) return read.refused
    const { message } = read
    if (await isLegacyRequest(request, message)) return sessions.serve(request, message, identity, exchange)
    // The token itself is nobody's business from here on.
    const { principal } = identity
    const given = { authInfo: { token: '', clientId: principal, scopes: [] }, parsedBody: message }
    return subscriptions.fetch(handler.fetch, request, given, { era: 'modern', principal })
  }

  return {
    async fetch(request, connection) {
      const path = new URL(request.url).pathname
      const early = guardAddress(request, options) ?? resource?.answer(request, path) ?? null
      if (early !== null) return early
      if (path !== mcpPath) return refusal(404, `There is nothing at this path. MCP is served at ${mcpPath}.`)
      const wrong = guardMessage(request)
      if (wrong !== null) return wrong
      const verdict = await authenticator.authenticate(request)
      if ('refused' in verdict) return verdict.refused
      const exchange = exchanges.begin(verdict.identity, () => connection?.hangUp())
      if (exchange === null) return busy('The server is answering as many requests as it can. Try again in a moment.')
      try {
        const body = connection?.body ?? request.body
        return await exchange.carry(await serve(request, body, verdict.identity, exchange))
      } catch (error) {
        exchange.end()
        report(error as Error)
        return refusal(500, 'The server failed to answer this request; jobs are not concerned.', {
          code: rpcCode.internalError,
        })
      }
    },
    sweep() {
      exchanges.endForeign()
      sessions.sweep()
    },
    async close() {
      await Promise.allSettled([handler.close(), sessions.close()])
      exchanges.endAll()
    },
  }
}
