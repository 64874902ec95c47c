import type { Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createAdaptorServer } from '@hono/node-server'
import { type ListeningServer, listenAt, shownAddress } from '../../platform/listening-server.ts'
import type { ListenAddress } from '../listen-address.ts'
import type { WorkerApi } from './api-parts.ts'

export interface TlsFiles {
  readonly cert: string
  readonly key: string
}

export interface Listener extends ListeningServer {
  readonly url: string
}

const headersMs = 10_000
/** Longest time in which nothing is sent or received while a request is open; a call that waits for an end takes 60 s. */
const silentMs = 120_000
/** Of a whole request; bodies have shorter limits of their own, by route. */
const requestMs = 31 * 60_000
const mostConnections = 256

/** Serves the API over HTTP, or HTTPS. @throws QueueError config_invalid when the address cannot be had */
export async function listen(api: WorkerApi, address: ListenAddress, tls: TlsFiles | null): Promise<Listener> {
  const shared = { connectionsCheckingInterval: headersMs / 4, headersTimeout: headersMs, requestTimeout: requestMs }
  const server = createAdaptorServer({
    fetch: api.fetch,
    // The classes of the whole process are not this listener's to replace.
    overrideGlobalObjects: false,
    ...(tls === null
      ? { serverOptions: shared }
      : {
          createServer: createTlsServer,
          serverOptions: { ...shared, ...tls, minVersion: 'TLSv1.2' as const, handshakeTimeout: headersMs },
        }),
  }) as Server
  server.keepAliveTimeout = 30_000
  server.timeout = silentMs
  server.maxConnections = mostConnections
  const { port, close } = await listenAt(server, address, '--listen')
  return { port, url: `${tls === null ? 'http' : 'https'}://${shownAddress(address.host, port)}`, close }
}
