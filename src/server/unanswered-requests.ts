import type { JSONRPCMessage, RequestId, Transport } from '@modelcontextprotocol/server'

/**
 * Watches a transport that is being served.
 * @param onAnswer called whenever a request no longer waits
 * @returns a function that tells how many requests wait for their answer
 */
export function countUnansweredRequests(transport: Transport, onAnswer: () => void): () => number {
  const unanswered = new Set<RequestId>()
  const send = transport.send.bind(transport)
  const take = transport.onmessage

  const settle = (id: RequestId) => {
    if (unanswered.delete(id)) onAnswer()
  }

  transport.onmessage = (message, extra) => {
    if ('method' in message && 'id' in message && !isStream(message)) unanswered.add(message.id)
    const cancelled = cancelledRequest(message)
    if (cancelled !== undefined) settle(cancelled)
    take?.(message, extra)
  }
  transport.send = (message, options) => {
    if (!('method' in message) && message.id !== undefined) settle(message.id)
    return send(message, options)
  }
  return () => unanswered.size
}

/** Answered when the client or the server ends it: nobody waits for that. */
function isStream(message: JSONRPCMessage): boolean {
  return 'method' in message && message.method === 'subscriptions/listen'
}

/** A cancelled request gets no answer. */
function cancelledRequest(message: JSONRPCMessage): RequestId | undefined {
  if (!('method' in message) || message.method !== 'notifications/cancelled') return undefined
  return message.params?.['requestId'] as RequestId | undefined
}
