import { readFileSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { expect, test } from 'vitest'
import { statePaths } from '../../../src/config/paths.ts'
import { processStartTime } from '../../../src/platform/process-identity.ts'
import { handOver, hostItem, hostJob, startHost } from '../../support/host-client.ts'
import { waitUntil } from '../../support/wait-until.ts'

const misbehave = (how: string, params = {}, changes = {}) => hostJob('misbehave.mjs', { how, ...params }, changes)

test('a host says who it is, in its file and in its welcome', async () => {
  const host = await startHost({ threads: 3 })
  const record = JSON.parse(host.read('record'))
  expect(record).toEqual({
    host_id: host.order.host_id,
    pid: host.pid,
    start_time: processStartTime(host.pid),
    boot_id: host.order.boot_id,
    socket: host.order.socket,
    protocol: 1,
    version: '0.0.0-test',
    alone: false,
  })
  const manager = await host.connect()
  const welcome = await waitUntil(() => manager.welcome)
  expect(welcome).toMatchObject({ host_id: host.order.host_id, threads: 3, attempts: [] })
  manager.send({ kind: 'ping', id: 7 })
  const pong = await waitUntil(() => manager.messages.find((message) => message.kind === 'pong'))
  expect(pong).toMatchObject({ id: 7, attempts: [] })
  expect(readFileSync(`/proc/${host.pid}/oom_score_adj`, 'utf8').trim()).toBe('1000')
  process.stdout.write(`ready after ${Math.round(host.readyMs)} ms\n`)
})

test('ends are told again to every manager until one acknowledges them, and none is lost', async () => {
  const host = await startHost()
  const job = misbehave('wait', {}, { handler: { reusable: true } })
  const first = await host.connect({ acknowledges: false })
  const items = Array.from({ length: 20 }, (_, n) =>
    hostItem({ unit: { how: n < 10 ? 'nothing' : 'wait', ms: n * 5 } }),
  )
  first.send({ kind: 'job', job }, { kind: 'run', job_key: job.job_key, items })
  await waitUntil(() => first.endCount >= 5)
  const heard = [...first.order]
  first.acknowledge(...heard.slice(0, 3))
  first.close()

  const second = await host.connect({ epoch: 2, acknowledges: false })
  const welcome = await waitUntil(() => second.welcome)
  const known = new Map(welcome.attempts.map((one) => [one.key, one.phase]))
  for (const item of items.slice(10)) expect(known.has(item.key)).toBe(true)
  await waitUntil(() => second.endCount + 3 >= items.length)
  const keys = new Set([...second.order, ...heard])
  for (const item of items) expect(keys.has(item.key)).toBe(true)
  expect(new Set(second.order).size).toBe(second.order.length)
  second.acknowledge(...second.order)
  second.close()

  const third = await host.connect({ epoch: 3 })
  expect((await waitUntil(() => third.welcome)).attempts).toEqual([])
})

test('a manager with a higher epoch takes the place of another, and one with a lower epoch gets none', async () => {
  const host = await startHost()
  const old = await host.connect({ epoch: 4 })
  await waitUntil(() => old.welcome)
  const next = await host.connect({ epoch: 5 })
  await waitUntil(() => next.welcome)
  await old.closed()
  const late = await host.connect({ epoch: 4 })
  await late.closed()
  expect(late.welcome).toBeUndefined()
  expect(next.isClosed).toBe(false)
  const twin = await host.connect({ epoch: 5 })
  await waitUntil(() => twin.welcome)
  await next.closed()
})

test('who does not say hello, or speaks another language, is not heard', async () => {
  const host = await startHost()
  for (const bytes of [
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    Buffer.from('\0\0\0\x02[]'.padEnd(6)),
    Buffer.from('\0\0\0\x0d[{"kind":"end"}]'),
  ]) {
    const socket = createConnection(host.order.socket)
    socket.on('error', () => undefined)
    socket.end(bytes)
    await new Promise((resolve) => socket.once('close', resolve))
  }
  const manager = await host.connect()
  await manager.end(handOver(manager, misbehave('nothing')).key, 'completed')
})

test('an attempt that is handed over twice runs once', async () => {
  const host = await startHost()
  const manager = await host.connect({ acknowledges: false })
  const job = misbehave('wait', { ms: 100 })
  const item = handOver(manager, job)
  manager.send({ kind: 'run', job_key: job.job_key, items: [item] })
  await manager.end(item.key, 'completed')
  manager.send({ kind: 'run', job_key: job.job_key, items: [item] })
  await manager.end(handOver(manager, misbehave('nothing')).key, 'completed')
  expect(manager.ends(item.key)).toHaveLength(1)
})

test('what ends while nobody is connected is written down, and told to whoever comes', async () => {
  const host = await startHost()
  const manager = await host.connect()
  const item = handOver(manager, misbehave('wait', { ms: 300 }))
  await waitUntil(() => manager.progress(item.key).length > 0)
  manager.close()
  const line = await waitUntil(() => host.read('ends') || null, { what: 'ends.jsonl' })
  expect(JSON.parse(line)).toMatchObject({ key: item.key, end: { kind: 'completed', result: 'waited' } })
  const next = await host.connect({ epoch: 2 })
  expect((await next.end(item.key, 'completed')).result).toBe('waited')
  await waitUntil(() => host.read('ends') === '', { what: 'what was acknowledged to be forgotten' })
})

test('ends that were told and not acknowledged are written down when the manager goes', async () => {
  const host = await startHost()
  const manager = await host.connect({ acknowledges: false })
  const item = handOver(manager, misbehave('nothing'))
  await manager.end(item.key, 'completed')
  expect(() => host.read('ends')).toThrow('ENOENT')
  manager.close()
  await waitUntil(() => host.read('ends').includes(item.key))
})

test('a host to which nobody comes gives back what runs, and ends itself', async () => {
  const host = await startHost({ unclaimed_ms: 900 })
  const manager = await host.connect()
  const item = handOver(manager, misbehave('cooperative'))
  await waitUntil(() => manager.progress(item.key).length > 0)
  manager.close()
  expect(await host.gone()).toBe(0)
  expect(host.lastWords()).toMatchObject({ reason: 'unclaimed', culprit: null })
  expect(JSON.parse(host.read('ends'))).toMatchObject({ key: item.key, end: { kind: 'stopped', reason: 'release' } })
})

test('a host whose manager is gone runs the script that starts the next one', async () => {
  const host = await startHost()
  const paths = statePaths(host.home)
  const manager = await host.connect()
  await waitUntil(() => manager.welcome)
  writeFileSync(paths.healScript, `echo healed >> '${host.home}/healed'\n`)
  manager.close()
  await waitUntil(() => readFileSync(`${host.home}/healed`, 'utf8') === 'healed\n')
})

test('what handlers write past their own log does not fill the disk', async () => {
  const host = await startHost()
  const manager = await host.connect()
  const item = handOver(manager, misbehave('past_the_log'))
  await manager.end(item.key, 'completed')
  const isShort = (log: string) => log.length < 1.1 * 1024 * 1024 && log.includes('past past')
  await waitUntil(() => isShort(host.read('log')), { what: 'host.log to be shortened to its last part' })
})

test('a host that is told to end does so when nothing is left in it', async () => {
  const host = await startHost()
  const manager = await host.connect({ acknowledges: false })
  const item = handOver(manager, misbehave('wait', { ms: 100 }))
  manager.send({ kind: 'end' })
  await manager.end(item.key, 'completed')
  expect(manager.isClosed).toBe(false)
  manager.acknowledge(item.key)
  await manager.closed()
  expect(await host.gone()).toBe(0)
  expect(host.lastWords().reason).toBe('told')
})

test('a host that is asked by a signal to end gives back what runs', async () => {
  const host = await startHost()
  const manager = await host.connect()
  const item = handOver(manager, misbehave('cooperative'))
  await waitUntil(() => manager.progress(item.key).length > 0)
  process.kill(host.pid, 'SIGTERM')
  expect((await manager.end(item.key, 'stopped')).reason).toBe('release')
  expect(await host.gone()).toBe(0)
})

test('a change of the code ends the threads that loaded the one before', async () => {
  const host = await startHost({ threads: 1 })
  const manager = await host.connect()
  const named = (revision: string) => misbehave('own_global', {}, { handler: { reusable: true, revision } })
  const runs: number[] = []
  for (const revision of ['1', '1', '2']) {
    const item = handOver(manager, named(revision))
    runs.push((await manager.end(item.key, 'completed')).result as number)
  }
  expect(runs).toEqual([1, 2, 1])
})

test('a large input reaches every thread whole', async () => {
  const host = await startHost({ threads: 2 })
  const manager = await host.connect()
  const text = 'ü'.repeat(3 * 1024 * 1024)
  const job = misbehave('lengths', { text })
  const items = [0, 1, 2].map(() => hostItem({ unit: { text } }))
  manager.send({ kind: 'job', job }, { kind: 'run', job_key: job.job_key, items })
  for (const item of items)
    expect((await manager.end(item.key, 'completed')).result).toEqual([text.length, text.length])
})
