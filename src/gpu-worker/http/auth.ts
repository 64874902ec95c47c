import type { IncomingMessage } from 'node:http'
import type { KeyCheck } from '../key-file.ts'
import { isLoopbackHost } from '../listen-address.ts'
import { Refused } from '../refused.ts'

/**
 * Refuses a request that has not the key. Without a key the worker is for this machine alone: then a page in a browser is
 * refused, which can send requests to this machine, too.
 * @throws Refused key_refused
 */
export function assertAllowed(incoming: IncomingMessage, key: KeyCheck | null): void {
  const { authorization, origin, host = '' } = incoming.headers
  if (key !== null) {
    if (!key.accepts(authorization))
      throw new Refused('key_refused', 'the key is missing or is not the one of this worker')
    return
  }
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
  if (origin !== undefined || !isLoopbackHost(name)) {
    throw new Refused('key_refused', 'a worker without a key answers programs of its own machine alone', {
      status: 403,
    })
  }
}
