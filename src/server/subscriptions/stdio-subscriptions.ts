import {
  isJSONRPCNotification,
  type JSONRPCMessage,
  type MessageExtraInfo,
  ProtocolError,
  ProtocolErrorCode,
  type RequestId,
  SUBSCRIPTION_ID_META_KEY,
  type Transport,
} from '@modelcontextprotocol/server'
import type { Connection } from '../served.ts'
import type { Announcer } from './announcer.ts'
import { isListen, withTasksFromResources } from './listen-translation.ts'
import { type OpenListen, openListen } from './open-listens.ts'

/** @returns the transport with `subscriptions/listen` on it connected to what the queue tells; only modern connections send one. */
export function withSubscriptions(transport: Transport, announcer: Announcer, connection: Connection): Transport {
  /** Null while it is being opened: also then it may be cancelled, or its id be used again. */
  const open = new Map<RequestId, { listen: OpenListen | null }>()
  let deliver: Transport['onmessage']

  const end = (id: RequestId) => {
    const one = open.get(id)
    open.delete(id)
    one?.listen?.end()
  }
  const begin = async (message: JSONRPCMessage & { readonly id: RequestId }, extra: MessageExtraInfo | undefined) => {
    if (!isListen(message)) return
    end(message.id)
    const own: { listen: OpenListen | null } = { listen: null }
    open.set(message.id, own)
    try {
      const listen = await openListen(announcer, message, connection)
      if (open.get(message.id) !== own) {
        listen.end()
        return
      }
      own.listen = listen
      deliver?.(listen.message, extra)
    } catch (thrown) {
      if (open.get(message.id) !== own) return
      const known = thrown instanceof ProtocolError
      const error = {
        code: known ? thrown.code : ProtocolErrorCode.InternalError,
        message: known ? thrown.message : 'Listening failed; poll instead.',
        ...(known && thrown.data !== undefined ? { data: thrown.data } : {}),
      }
      await transport.send({ jsonrpc: '2.0', id: message.id, error }).catch(() => undefined)
    }
  }

  return {
    start: () => transport.start(),
    close: () => transport.close(),
    async send(message, options) {
      // The router's answer to a listen is its end.
      if (!('method' in message) && message.id !== undefined) end(message.id)
      await transport.send(withTasksFromResources(message), options)
      const begun = acknowledged(message)
      if (begun !== undefined) open.get(begun)?.listen?.heard()
    },
    get onmessage() {
      return deliver
    },
    set onmessage(handler) {
      deliver = handler
      transport.onmessage = (message, extra) => {
        if (isListen(message)) {
          void begin(message, extra)
          return
        }
        const cancelled = isJSONRPCNotification(message) && message.method === 'notifications/cancelled'
        if (cancelled) end(message.params?.['requestId'] as RequestId)
        handler?.(message, extra)
      }
    },
    get onclose() {
      return transport.onclose
    },
    set onclose(handler) {
      transport.onclose = () => {
        for (const id of [...open.keys()]) end(id)
        handler?.()
      }
    },
    get onerror() {
      return transport.onerror
    },
    set onerror(handler) {
      transport.onerror = handler
    },
  }
}

/** @returns the id of the listen that a message of the router begins */
function acknowledged(message: JSONRPCMessage): RequestId | undefined {
  if (!('method' in message) || message.method !== 'notifications/subscriptions/acknowledged') return undefined
  const meta = message.params?._meta as Readonly<Record<string, unknown>> | undefined
  return meta?.[SUBSCRIPTION_ID_META_KEY] as RequestId | undefined
}
