import {
  isJSONRPCNotification,
  type JSONRPCMessage,
  type MessageExtraInfo,
  ProtocolError,
  ProtocolErrorCode,
  type RequestId,
  type Transport,
} from '@modelcontextprotocol/server'
import type { Connection } from '../served.ts'
import type { Announcer } from './announcer.ts'
import { isListen, withTasksFromResources } from './listen-translation.ts'
import { type OpenListen, openListen } from './open-listens.ts'

/** @returns the transport with `subscriptions/listen` on it connected to what the queue tells; only modern connections send one. */
export function withSubscriptions(transport: Transport, announcer: Announcer, connection: Connection): Transport {
  const open = new Map<RequestId, OpenListen>()
  let deliver: Transport['onmessage']

  const end = (id: RequestId) => {
    open.get(id)?.end()
    open.delete(id)
  }
  const begin = async (message: JSONRPCMessage & { readonly id: RequestId }, extra: MessageExtraInfo | undefined) => {
    if (!isListen(message)) return
    end(message.id)
    try {
      const listen = await openListen(announcer, message, connection)
      open.set(message.id, listen)
      deliver?.(listen.message, extra)
    } catch (thrown) {
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
    send(message, options) {
      // The router's answer to a listen is its end.
      if (!('method' in message) && message.id !== undefined) end(message.id)
      return transport.send(withTasksFromResources(message), options)
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
