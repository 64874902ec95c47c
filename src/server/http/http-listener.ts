import { createServer, type IncomingMessage } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { type ListeningServer, listenAt, shownAddress } from '../../platform/listening-server.ts'
import type { HttpApp } from './http-app.ts'
import type { ListenAddress } from './listen-address.ts'
import { refusal } from './refusal.ts'

export interface HttpListener extends ListeningServer {
  /** Such as `http://127.0.0.1:8765`. */
  readonly origin: string
}

export interface ListenerLimits {
  /** Of the headers of a request, ms. */
  readonly headersMs: number
  /** Of a whole request with its body, ms; a body that trickles in is cut off. */
  readonly requestMs: number
  /** Longest time in which nothing is sent or received, ms; streams send something every 15 s. */
  readonly silentMs: number
  /** Beyond it connections are closed at once. Twice the requests that are served: those beyond are told to come back. */
  readonly connections: number
}

export const usualLimits: ListenerLimits = {
  headersMs: 10_000,
  requestMs: 30_000,
  silentMs: 120_000,
  connections: 512,
}

const keepAliveMs = 30_000

/** @throws QueueError config_invalid when the address cannot be had */
export async function listenHttp(
  app: HttpApp,
  address: ListenAddress,
  limits: ListenerLimits = usualLimits,
): Promise<HttpListener> {
  const serve = getRequestListener(
    (request, { incoming, outgoing }) =>
      app.fetch(request, {
        // What is left of a body that is refused is read and dropped by the package, within bounds, so that the answer arrives.
        body: (incoming as IncomingMessage).iterator({ destroyOnReturn: false }),
        hangUp: () => outgoing.destroy(),
      }),
    {
      errorHandler: () => refusal(400, 'The target or the Host header of the request cannot be understood.'),
      // The classes of the whole process are not this listener's to replace.
      overrideGlobalObjects: false,
    },
  )
  const server = createServer(
    {
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      connectionsCheckingInterval: Math.max(20, limits.headersMs / 4),
      keepAliveTimeout: keepAliveMs,
    },
    (incoming, outgoing) => void serve(incoming, outgoing),
  )
  server.timeout = limits.silentMs
  server.maxConnections = limits.connections
  const { port, close } = await listenAt(server, address, '--http')
  return { port, origin: `http://${shownAddress(address.host, port)}`, close }
}
