import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/server'
import { expect, test } from 'vitest'
import type { Announcer } from '../../../src/server/subscriptions/announcer.ts'
import { mostNames, taskUri } from '../../../src/server/subscriptions/listen-translation.ts'
import { withSubscriptions } from '../../../src/server/subscriptions/stdio-subscriptions.ts'

const task = '0123456789abcdef0123456789abcdef'
const meta = { 'io.modelcontextprotocol/clientCapabilities': { extensions: { 'io.modelcontextprotocol/tasks': {} } } }

/** A transport in the hand of the test; watches of tasks begin when it says so. */
function connection() {
  const log: string[] = []
  const delivered: JSONRPCMessage[] = []
  const begins: ((error?: Error) => void)[] = []
  const announcer: Announcer = {
    watchResource: (uri) => {
      log.push(`watch ${uri}`)
      return () => log.push(`end ${uri}`)
    },
    watchLists: () => () => undefined,
    watchTasks: async (taskIds) => {
      const watch = begins.length + 1
      await new Promise<void>((resolve, reject) => {
        begins.push((error) => (error === undefined ? resolve() : reject(error)))
      })
      return { agreed: taskIds, watch, heard: () => log.push(`heard ${watch}`), end: () => log.push(`end ${watch}`) }
    },
  }
  const transport: Transport = { start: async () => {}, close: async () => {}, send: async () => {} }
  const wrapped = withSubscriptions(transport, announcer, { era: 'modern', principal: 'local' })
  wrapped.onmessage = (message: JSONRPCMessage) => void delivered.push(message)
  const take = (message: object) => transport.onmessage?.({ jsonrpc: '2.0', ...message } as JSONRPCMessage)
  return {
    log,
    delivered,
    begins,
    wrapped,
    listen: (id: string, notifications: object) =>
      take({ id, method: 'subscriptions/listen', params: { _meta: meta, notifications } }),
    cancel: (requestId: string) => take({ method: 'notifications/cancelled', params: { requestId } }),
    acknowledge: (id: string) =>
      wrapped.send({
        jsonrpc: '2.0',
        method: 'notifications/subscriptions/acknowledged',
        params: { notifications: {}, _meta: { 'io.modelcontextprotocol/subscriptionId': id } },
      }),
  }
}

/** Everything that could go on now has. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

test('a listen that is cancelled while it is being opened ends, and never reaches the router', async () => {
  const { listen, cancel, begins, log, delivered } = connection()
  listen('one', { taskIds: [task], resourceSubscriptions: ['job://a'] })
  await settled()
  cancel('one')
  begins[0]?.()
  await settled()
  expect(log).toEqual(['watch job://a', 'end job://a', 'end 1'])
  expect(delivered).toMatchObject([{ method: 'notifications/cancelled' }])
})

test('an id that is used again ends what it stood for', async () => {
  const { listen, begins, log, delivered } = connection()
  listen('one', { taskIds: [task] })
  listen('one', { taskIds: [task] })
  await settled()
  for (const begin of begins) begin()
  await settled()
  expect(log).toEqual(['end 1'])
  expect(delivered).toMatchObject([{ params: { notifications: { resourceSubscriptions: [taskUri(task, 2)] } } }])
})

test('what changed before the acknowledgement is told after it', async () => {
  const { listen, begins, log, acknowledge } = connection()
  listen('one', { taskIds: [task] })
  await settled()
  begins[0]?.()
  await settled()
  expect(log).toEqual([])
  await acknowledge('one')
  expect(log).toEqual(['heard 1'])
})

test('a listen that fails to open leaves nothing open', async () => {
  const { listen, begins, log } = connection()
  listen('one', { taskIds: [task], resourceSubscriptions: ['job://a'] })
  await settled()
  begins[0]?.(new Error('the manager is away'))
  await settled()
  expect(log).toEqual(['watch job://a', 'end job://a'])
})

test('resources beyond the limit are neither watched nor acknowledged', async () => {
  const { listen, log, delivered } = connection()
  listen('one', { resourceSubscriptions: Array.from({ length: mostNames + 50 }, (_, number) => `job://${number}`) })
  await settled()
  expect(log).toHaveLength(mostNames)
  expect(delivered).toMatchObject([{ params: { notifications: { resourceSubscriptions: { length: mostNames } } } }])
})
