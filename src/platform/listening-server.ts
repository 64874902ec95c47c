import type { Server } from 'node:http'
import { type AddressInfo, isIPv6 } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { QueueError } from '../domain/errors.ts'

export interface ListeningServer {
  /** The one that was asked for, or the one that was free when that was 0. */
  readonly port: number
  /** No new connections; open calls get up to `graceMs` to be answered, then every connection is closed. */
  close(graceMs: number): Promise<void>
}

/** @returns host and port as a URL has them */
export function shownAddress(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`
}

/**
 * Lets an HTTP server listen.
 * @param option what a person chose the address with, such as `--listen`
 * @throws QueueError config_invalid when the address cannot be had
 */
export async function listenAt(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
  option: string,
): Promise<ListeningServer> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const inUse = error.code === 'EADDRINUSE'
      const why = inUse ? 'another program listens there' : error.message
      const remedy = inUse
        ? `Choose another port with ${option}, or stop that program.`
        : 'Choose an address of this machine.'
      reject(new QueueError('config_invalid', `cannot listen on ${shownAddress(host, port)}: ${why}`, { remedy }))
    })
    server.listen(port, host, 511, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
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
