import { expect, test } from 'vitest'
import { handOver, hostJob, startHost } from '../../support/host-client.ts'
import { waitUntil } from '../../support/wait-until.ts'

const misbehave = (how: string, params = {}, changes = {}) => hostJob('misbehave.mjs', { how, ...params }, changes)

test.each(['SIGKILL', 'SIGSEGV', 'SIGABRT'])(
  'a handler that kills its process by %s closes the connection, and nothing else is told',
  async (signal) => {
    const host = await startHost()
    const manager = await host.connect()
    const item = handOver(manager, misbehave('kill', { signal }))
    await manager.closed()
    expect(await host.gone()).toBe(signal)
    expect(manager.ends(item.key)).toHaveLength(0)
    expect(() => host.lastWords()).toThrow('ENOENT')
  },
)

test('a handler that fills its heap fails alone', async () => {
  const host = await startHost()
  const manager = await host.connect()
  const other = handOver(manager, misbehave('wait', { ms: 2_500 }))
  const item = handOver(manager, misbehave('heap', {}, { handler: { heap_megabytes: 48 } }))
  const end = await manager.end(item.key, 'failed', 25_000)
  expect(end).toMatchObject({ error: { code: 'out_of_memory' }, retry: 'policy' })
  expect(end.error.message).toBe('the handler needed more than 48 MB of JavaScript heap')
  await manager.end(other.key, 'completed')
})

test('a handler that fills buffers alone is ended, and the host goes on', async () => {
  const host = await startHost({ memory_bytes: 320 * 1024 ** 2 })
  const manager = await host.connect()
  const item = handOver(manager, misbehave('buffers'))
  const end = await manager.end(item.key, 'failed')
  expect(end.error.code).toBe('out_of_memory')
  expect(end.error.message).toContain('320 MB')
  await manager.end(handOver(manager, misbehave('nothing')).key, 'completed')
})

test('a handler that fills buffers beside another takes the host with it: nobody knows who it was', async () => {
  const host = await startHost({ memory_bytes: 320 * 1024 ** 2 })
  const manager = await host.connect()
  const other = handOver(manager, misbehave('ignore_abort'))
  await waitUntil(() => manager.progress(other.key).length > 0)
  const item = handOver(manager, misbehave('buffers'))
  const waiting = handOver(manager, misbehave('nothing'))
  await manager.closed()
  expect(await host.gone()).toBe('SIGKILL')
  expect(host.lastWords()).toMatchObject({ reason: 'memory', culprit: null })
  expect(manager.ends(item.key)).toHaveLength(0)
  expect(manager.ends(other.key)).toHaveLength(0)
  // What had not begun is nobody's suspect.
  expect(host.read('ends')).toContain(`{"key":"${waiting.key}","end":{"kind":"released"`)
})
