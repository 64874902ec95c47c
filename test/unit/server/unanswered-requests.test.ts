import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/server'
import { expect, test, vi } from 'vitest'
import { countUnansweredRequests } from '../../../src/server/unanswered-requests.ts'

test('requests count until they are answered or cancelled', async () => {
  const passed: JSONRPCMessage[] = []
  const transport: Transport = {
    start: async () => {},
    close: async () => {},
    send: async (message) => {
      passed.push(message)
    },
    onmessage: (message) => {
      passed.push(message)
    },
  }
  const onAnswer = vi.fn<() => void>()
  const unanswered = countUnansweredRequests(transport, onAnswer)
  const receive = (message: JSONRPCMessage) => transport.onmessage?.(message)

  receive({ jsonrpc: '2.0', id: 1, method: 'a' })
  receive({ jsonrpc: '2.0', id: 'two', method: 'b' })
  receive({ jsonrpc: '2.0', id: 3, method: 'c' })
  receive({ jsonrpc: '2.0', method: 'notifications/initialized' })
  expect(unanswered()).toBe(3)
  await transport.send({ jsonrpc: '2.0', id: 1, result: {} })
  await transport.send({ jsonrpc: '2.0', id: 'two', error: { code: -1, message: 'no' } })
  expect(unanswered()).toBe(1)
  receive({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 3 } })
  expect(unanswered()).toBe(0)
  expect(onAnswer).toHaveBeenCalledTimes(3)
  expect(passed).toHaveLength(7)
})
