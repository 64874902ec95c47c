import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { handOver, hostJob, startHost } from '../../support/host-client.ts'
import { waitUntil } from '../../support/wait-until.ts'

const misbehave = (how: string, changes = {}) => hostJob('misbehave.mjs', { how }, changes)

async function running(host: Awaited<ReturnType<typeof startHost>>, job: ReturnType<typeof hostJob>) {
  const manager = await host.connect()
  const item = handOver(manager, job)
  await waitUntil(() => manager.progress(item.key).length > 0, { what: 'the attempt to run' })
  return { manager, item }
}

test('a cancel ends what waits for it at once', async () => {
  const host = await startHost()
  const { manager, item } = await running(host, misbehave('cooperative', { cancel_grace_ms: 20_000 }))
  const begun = performance.now()
  manager.send({ kind: 'stop', key: item.key, reason: 'cancel' })
  const end = await manager.end(item.key, 'stopped')
  expect(end).toMatchObject({ reason: 'cancel', survivors: [] })
  expect(performance.now() - begun).toBeLessThan(5_000)
})

test.each(['see_flag', 'last_words'])(
  'a cancel is seen by a handler that does %s, and what it returns then is no result',
  async (how) => {
    const host = await startHost()
    const { manager, item } = await running(host, misbehave(how, { cancel_grace_ms: 20_000 }))
    manager.send({ kind: 'stop', key: item.key, reason: 'release' })
    const end = await manager.end(item.key, 'stopped')
    expect(end.reason).toBe('release')
    if (how === 'last_words') expect(end.output.tail).toBe('info: cleaned up\n')
  },
)

test.each(['ignore_abort', 'loop', 'regex'])(
  'a cancel ends a handler that does %s after its grace, and the thread is another one',
  async (how) => {
    const host = await startHost({ threads: 1 })
    const { manager, item } = await running(host, misbehave(how, { cancel_grace_ms: 300 }))
    const begun = performance.now()
    manager.send({ kind: 'stop', key: item.key, reason: 'cancel' })
    expect((await manager.end(item.key, 'stopped')).reason).toBe('cancel')
    expect(performance.now() - begun).toBeGreaterThan(290)
    expect(performance.now() - begun).toBeLessThan(5_000)
    const next = handOver(manager, misbehave('nothing'))
    await manager.end(next.key, 'completed')
    expect(manager.ends(item.key)).toHaveLength(1)
  },
)

test('a cancel that comes after a release is the one that is told', async () => {
  const host = await startHost()
  const { manager, item } = await running(host, misbehave('ignore_abort', { cancel_grace_ms: 300 }))
  manager.send({ kind: 'stop', key: item.key, reason: 'release' }, { kind: 'stop', key: item.key, reason: 'cancel' })
  expect((await manager.end(item.key, 'stopped')).reason).toBe('cancel')
})

test('what waits for a thread is stopped without ever running', async () => {
  const host = await startHost({ threads: 1 })
  const { manager, item } = await running(host, misbehave('ignore_abort', { cancel_grace_ms: 100 }))
  const waiting = handOver(manager, misbehave('nothing'))
  manager.send({ kind: 'stop', key: waiting.key, reason: 'cancel' })
  expect(await manager.end(waiting.key, 'stopped')).toMatchObject({ elapsedMs: 0 })
  expect(manager.ends(item.key)).toHaveLength(0)
  expect(existsSync(host.attemptDirectory(waiting))).toBe(false)
})

test('what is in a system call takes the host with it, which says who it was', async () => {
  const host = await startHost({ terminate_ms: 400 })
  const { manager, item } = await running(host, misbehave('exec_sync', { cancel_grace_ms: 100 }))
  const other = handOver(manager, misbehave('cooperative'))
  await waitUntil(() => manager.progress(other.key).length > 0)
  manager.send({ kind: 'stop', key: item.key, reason: 'cancel' })
  await manager.closed()
  expect(await host.gone()).toBe('SIGKILL')
  const words = host.lastWords()
  expect(words).toMatchObject({
    reason: 'stuck',
    culprit: { key: item.key, end: { kind: 'stopped', reason: 'cancel' } },
  })
  expect(manager.ends(item.key)).toHaveLength(0)
  expect(manager.ends(other.key)).toHaveLength(0)
})

test.each([
  ['ignore_abort', 'unit'],
  ['loop', 'unit'],
  ['silent_after_start', 'idle'],
  ['ignore_abort', 'idle'],
] as const)('a handler that does %s runs into its %s timeout', async (how, which) => {
  const host = await startHost()
  const manager = await host.connect()
  const limits = which === 'unit' ? { unit_timeout_ms: 500 } : { idle_timeout_ms: 500 }
  const item = handOver(manager, misbehave(how, { ...limits, cancel_grace_ms: 200 }))
  const end = await manager.end(item.key, 'timed_out')
  expect(end).toMatchObject({ which, limitMs: 500 })
  expect(end.elapsedMs).toBeGreaterThanOrEqual(500)
  expect(end.elapsedMs).toBeLessThan(5_000)
})

test('a loop that only reports progress is not idle, and its progress is told while it loops', async () => {
  const host = await startHost()
  const manager = await host.connect()
  const item = handOver(manager, misbehave('busy_progress', { idle_timeout_ms: 700 }))
  await manager.end(item.key, 'completed')
  const told = manager.progress(item.key)
  expect(told.length).toBeGreaterThan(3)
  expect(told.length).toBeLessThan(40)
})

test('a module that loads for ever is ended by the timeout of its attempt', async () => {
  const host = await startHost({ threads: 1 })
  const manager = await host.connect()
  const item = handOver(manager, hostJob('loads-for-ever.mjs', {}, { unit_timeout_ms: 600, cancel_grace_ms: 100 }))
  await manager.end(item.key, 'timed_out')
  await manager.end(handOver(manager, misbehave('nothing')).key, 'completed')
})

test('files of an attempt that was ended by force are whole', async () => {
  const host = await startHost()
  const { manager, item } = await running(host, misbehave('silent_after_start', { cancel_grace_ms: 50 }))
  manager.send({ kind: 'stop', key: item.key, reason: 'cancel' })
  expect((await manager.end(item.key, 'stopped')).output).toEqual({
    bytes: 13,
    droppedBytes: 0,
    tail: 'info: begins\n',
  })
  expect(readFileSync(join(host.attemptDirectory(item), 'output'), 'utf8')).toBe('info: begins\n')
})
