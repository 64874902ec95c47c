import { lookup as systemLookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { buildConnector } from 'undici'
import { isLoopbackAddress } from '../worker-url.ts'

export interface Connector {
  readonly connect: buildConnector.connector
  /** True for an error of connecting: nothing of any request had left by then. */
  failedToConnect(error: unknown): boolean
}

/** Names of this machine may be sent anywhere by a hosts file; plain HTTP must not follow. */
const loopbackLookup: LookupFunction = (hostname, options, callback) => {
  systemLookup(hostname, { ...options, all: true }, (error, found) => {
    if (error !== null) return callback(error, '', 0)
    const local = found.filter(({ address }) => isLoopbackAddress(address))
    const [first] = local
    if (first === undefined) {
      const refusal: NodeJS.ErrnoException = new Error(`${hostname} is not this machine`)
      refusal.code = 'NOT_LOOPBACK'
      return callback(refusal, '', 0)
    }
    if (options.all === true) return callback(null, local)
    callback(null, first.address, first.family)
  })
}

/**
 * Connects with verified certificates only, whatever the environment says; plain HTTP to this machine only.
 * @param ca PEM; the only certificates that are trusted. Null: those of the system
 */
export function createConnector(options: {
  readonly plain: boolean
  readonly ca: string | null
  readonly timeoutMs: number
}): Connector {
  const build = buildConnector({
    timeout: options.timeoutMs,
    allowH2: false,
    // A resumed session is not verified again.
    maxCachedSessions: 0,
    rejectUnauthorized: true,
    ...(options.ca === null ? {} : { ca: options.ca }),
    ...(options.plain ? { lookup: loopbackLookup } : {}),
  })
  const failures = new WeakSet<object>()
  return {
    connect: (target, callback) => {
      build(target, (...[error, socket]) => {
        if (error !== null) {
          failures.add(error)
          return callback(error, null)
        }
        callback(null, socket)
      })
    },
    failedToConnect: (error) => typeof error === 'object' && error !== null && failures.has(error),
  }
}
