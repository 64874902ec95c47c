import { InMemoryTransport, type JSONRPCMessage } from '@modelcontextprotocol/server'
import { expect, test } from 'vitest'
import { createMcpServer } from '../../../src/server/create-mcp-server.ts'
import type { ServedParts } from '../../../src/server/served.ts'

const nothing: ServedParts = {
  instructions: '',
  tools: async () => [],
  resources: async () => [],
  prompts: async () => [],
  tasks: () => Promise.reject(new Error('no tasks here')),
  changes: { follow: () => () => undefined, overhear: () => () => undefined, noteCall: () => undefined },
}

const clientInfo = { name: 'test', version: '1' }
const initialize = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo }

test.each([
  ['tools/call', (name: string) => ({ name, arguments: {} })],
  ['prompts/get', (name: string) => ({ name })],
  ['resources/read', (uri: string) => ({ uri })],
  [
    'completion/complete',
    (name: string) => ({ ref: { type: 'ref/prompt', name }, argument: { name: 'a', value: '' } }),
  ],
  [
    'completion/complete',
    (uri: string) => ({ ref: { type: 'ref/resource', uri }, argument: { name: 'a', value: '' } }),
  ],
])('an unknown name in %s comes back short and harmless', async (method, params) => {
  const [client, end] = InMemoryTransport.createLinkedPair()
  const answers = new Map<unknown, JSONRPCMessage>()
  client.onmessage = (message) => void answers.set('id' in message && message.id, message)
  await createMcpServer(nothing, { era: 'legacy', principal: 'local' }).connect(end)
  await client.start()
  await client.send({ jsonrpc: '2.0', id: 0, method: 'initialize', params: initialize })
  await client.send({ jsonrpc: '2.0', id: 1, method, params: params(`x:\u001b[31m\u202e${'n'.repeat(100_000)}`) })
  await expect.poll(() => answers.get(1)).toBeDefined()
  const { error } = answers.get(1) as { error?: { message: string } }
  expect(error?.message).toContain(String.raw`x:\\x1b[31m\\u202en`)
  expect(error?.message.length).toBeLessThan(500)
  await client.close()
})
