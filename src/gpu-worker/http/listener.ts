import type { Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { createAdaptorServer } from '@hono/node-server'
import { QueueError } from '../../domain/errors.ts'
import { type ListenAddress, shownAddress } from '../listen-address.ts'
import type { WorkerApi } from './api-parts.ts'

export interface TlsFiles {
  readonly cert: string
  readonly key: string
}

export interface Listener {
  readonly port: number
  readonly url: string
  /** No new connections; open calls get up to `graceMs` to be answered, then every connection is closed. */
  close(graceMs: number): Promise<void>
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
  const { host } = address
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(address, error)))
    server.listen(address.port, host, 511, resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `${tls === null ? 'http' : 'https'}://${shownAddress(host, port)}`,
    async close(graceMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeIdleConnections()
      const waited = new AbortController()
      await Promise.race([closed, delay(graceMs, undefined, { signal: waited.signal }).catch(() => undefined)])
      waited.abort()
      server.closeAllConnections()
      await closed
    },
  }
}

function cannotListen({ host, port }: ListenAddress, error: NodeJS.ErrnoException): QueueError {
  const inUse = error.code === 'EADDRINUSE'
  return new QueueError(
    'config_invalid',
    `cannot listen on ${shownAddress(host, port)}: ${inUse ? 'another program listens there' : error.message}`,
    {
      remedy: inUse ? 'Choose another port with --listen, or stop that program.' : 'Choose an address of this machine.',
    },
  )
}
