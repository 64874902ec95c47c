import { chmodSync } from 'node:fs'
import type { Server } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { createAdaptorServer } from '@hono/node-server'
import type { ManagerApi } from '../api/create-api.ts'

export interface Listener {
  /** Open connections, idle ones included. */
  connections(): number
  /** No new connections; open calls get up to `graceMs` to be answered, then every connection is closed. */
  close(graceMs: number): Promise<void>
}

/** A caller that has not sent its whole request by then is cut off. */
const longestReceiveMs = 30_000

/** Serves the API on a unix socket (a named pipe on Windows), mode 0600 inside a 0700 directory. */
export async function listen(api: ManagerApi, socket: string, receiveMs = longestReceiveMs): Promise<Listener> {
  const serverOptions = { connectionsCheckingInterval: Math.ceil(receiveMs / 6) }
  const server = createAdaptorServer({ fetch: api.fetch, serverOptions }) as Server
  let connections = 0
  server.on('connection', (connection) => {
    connections += 1
    connection.once('close', () => {
      connections -= 1
    })
  })
  // Receiving only: long polls and streams are bounded by their operations.
  server.requestTimeout = receiveMs
  server.headersTimeout = receiveMs
  server.keepAliveTimeout = 30_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(socket, 4_096, resolve)
  })
  if (process.platform !== 'win32') chmodSync(socket, 0o600)
  return {
    connections: () => connections,
    async close(graceMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeIdleConnections()
      await Promise.race([closed, delay(graceMs)])
      server.closeAllConnections()
      await closed
    },
  }
}
