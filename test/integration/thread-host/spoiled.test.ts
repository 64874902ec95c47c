import { expect, test } from 'vitest'
import { handOver, hostItem, hostJob, startHost } from '../../support/host-client.ts'
import { waitUntil } from '../../support/wait-until.ts'

const reusable = { handler: { reusable: true } }

test.each([
  ['nothing', 'handler_failed', 'the handler changed built-in objects'],
  ['number', 'handler_failed', 'the handler changed built-in objects'],
  ['long', 'internal', 'that is too much'],
])('an end that a reusable handler has spoiled (%s) costs nobody else anything', async (spoil, code, message) => {
  const host = await startHost({ threads: 1 })
  const manager = await host.connect()
  const job = hostJob('spoils.mjs', {}, reusable)
  const [bad, good] = [hostItem({ unit: { spoil } }), hostItem({ unit: {} })]
  manager.send({ kind: 'job', job }, { kind: 'run', job_key: job.job_key, items: [bad] })
  const end = await manager.end(bad.key, 'failed')
  expect(end).toMatchObject({ retry: 'policy', error: { code, message: expect.stringContaining(message) } })
  manager.send({ kind: 'run', job_key: job.job_key, items: [good] })
  await manager.end(good.key, 'completed')
  const other = handOver(manager, hostJob('no-op.mjs', {}, reusable), { unit: { n: 3 } })
  expect(await manager.end(other.key, 'completed')).toMatchObject({ result: { n: 3 } })
  expect(manager.isClosed).toBe(false)
  expect(host.read('log')).toContain('a thread is replaced')
})

test('what a handler says of its end is of bearable length', async () => {
  const host = await startHost({ threads: 1 })
  const manager = await host.connect()
  const job = hostJob('spoils.mjs', {}, reusable)
  const named = handOver(manager, job, { unit: { name: 70 * 1024 * 1024 } })
  const { error } = await manager.end(named.key, 'failed', 30_000)
  expect(error).toMatchObject({ code: 'handler_failed', message: 'named' })
  expect(error.details?.['name']).toHaveLength(100)
  const typed = handOver(manager, job, { unit: { types: ['', 'a\n', 'x'.repeat(201), 5, 'text/x'] } })
  const refused = (await manager.end(typed.key, 'completed')).result as string[]
  for (const one of refused.slice(0, 4)) expect(one).toMatch(/^TypeError: the media type/)
  const many = handOver(manager, job, { unit: { artifacts: 1_500 } })
  expect((await manager.end(many.key, 'completed', 60_000)).artifacts).toHaveLength(1_500)
})

test('attempts of a job that was not declared are given back, and the connection stays', async () => {
  const host = await startHost({ threads: 1 })
  const manager = await host.connect()
  const item = hostItem()
  manager.send({ kind: 'run', job_key: 'unknown', items: [item] })
  expect(await manager.end(item.key, 'released')).toMatchObject({ message: 'its host did not know the job' })
  expect(manager.isClosed).toBe(false)
  expect(host.read('log')).toContain('the job unknown was not declared')
})

test('a host that is asked tells everything that it has', async () => {
  const host = await startHost({ threads: 1 })
  const manager = await host.connect({ acknowledges: false })
  const job = hostJob('misbehave.mjs', { how: 'nothing' })
  const ended = handOver(manager, job)
  await manager.end(ended.key, 'completed')
  const running = handOver(manager, hostJob('misbehave.mjs', { how: 'cooperative' }))
  const waiting = handOver(manager, job)
  await waitUntil(() => manager.progress(running.key).length > 0)
  manager.send({ kind: 'ping', id: 1 })
  const pong = await waitUntil(() => manager.messages.find((message) => message.kind === 'pong'))
  expect(pong.attempts.map(({ key }) => key)).toEqual([running.key])
  expect(new Set(pong.others)).toEqual(new Set([waiting.key, ended.key]))
})
