import type { EventStore, JSONRPCMessage } from '@modelcontextprotocol/server'

/** Of one session; what is older can no longer be asked for again. */
const mostEvents = 100
const mostBytes = 64 * 1024

interface KeptEvent {
  readonly id: string
  readonly stream: string
  readonly message: JSONRPCMessage
  readonly bytes: number
}

/** The last events of a session, so that a client whose stream broke off gets what it missed. */
export function createSessionEvents(): EventStore {
  const kept: KeptEvent[] = []
  let bytes = 0
  let last = 0
  const find = (id: string) => kept.findIndex((event) => event.id === id)

  return {
    async storeEvent(stream, message) {
      last += 1
      const event = { id: `${last}`, stream, message, bytes: JSON.stringify(message).length }
      kept.push(event)
      bytes += event.bytes
      while (kept.length > mostEvents || (bytes > mostBytes && kept.length > 1)) bytes -= kept.shift()?.bytes ?? 0
      return event.id
    },
    getStreamIdForEventId: async (id) => kept[find(id)]?.stream,
    async replayEventsAfter(id, { send }) {
      const at = find(id)
      const stream = kept[at]?.stream
      if (stream === undefined) throw new Error('the event is no longer kept')
      // What is not a message yet is only the beginning of a stream.
      for (const event of kept.slice(at + 1)) {
        if (event.stream === stream && 'jsonrpc' in event.message) await send(event.id, event.message)
      }
      return stream
    },
  }
}
