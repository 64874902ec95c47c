import { expect, test } from 'vitest'
import { type HostConnection, hostItem, hostJob, startHost } from '../../support/host-client.ts'
import { waitUntil } from '../../support/wait-until.ts'

const reusable = { handler: { reusable: true } }

function handOverAll(manager: HostConnection, job: ReturnType<typeof hostJob>, units: readonly object[]) {
  const items = units.map((unit, position) => hostItem({ unit: unit as never, position }))
  manager.send({ kind: 'job', job })
  for (let at = 0; at < items.length; at += 200)
    manager.send({ kind: 'run', job_key: job.job_key, items: items.slice(at, at + 200) })
  return items
}

test.each([1, 2])('runs 2,000 units of a reusable handler once each, in %i threads', async (threads) => {
  const host = await startHost({ threads })
  const manager = await host.connect()
  const count = 2_000
  const job = hostJob('no-op.mjs', {}, reusable)
  // The second time its code is loaded.
  for (const round of ['cold', 'warm']) {
    const before = manager.order.length
    const begun = performance.now()
    const items = handOverAll(
      manager,
      job,
      Array.from({ length: count }, (_, n) => ({ n })),
    )
    await waitUntil(() => manager.order.length === before + count, { intervalMs: 2, what: 'all ends' })
    const rate = Math.round((count / (performance.now() - begun)) * 1_000)
    process.stdout.write(`${threads} threads, ${round}: ${rate} units/s\n`)
    for (const [n, item] of items.entries()) {
      expect(manager.ends(item.key)).toHaveLength(1)
      expect(manager.ends(item.key)[0]).toMatchObject({ kind: 'completed', result: { n } })
    }
    if (threads === 1) expect(manager.order.slice(before)).toEqual(items.map((item) => item.key))
  }
})

test('what waits behind a long unit goes to the other thread', async () => {
  const host = await startHost({ threads: 2 })
  const manager = await host.connect()
  const fast = Array.from({ length: 60 }, () => ({ how: 'nothing' }))
  const job = hostJob('misbehave.mjs', { how: 'nothing' }, { ...reusable, cancel_grace_ms: 100 })
  // Threads get used to taking many at once.
  for (let round = 0; round < 3; round++) {
    const items = handOverAll(manager, job, fast)
    await waitUntil(() => items.every((item) => manager.ends(item.key).length === 1))
  }
  const [long, ...rest] = handOverAll(manager, job, [{ how: 'ignore_abort' }, ...fast])
  await waitUntil(() => rest.every((item) => manager.ends(item.key).length === 1), { what: 'all but the long one' })
  if (long === undefined) throw new Error('no long unit')
  expect(manager.ends(long.key)).toHaveLength(0)
  manager.send({ kind: 'stop', key: long.key, reason: 'cancel' })
  await manager.end(long.key, 'stopped')
})

test('of many that a thread was given one can be stopped before it begins, and the others run', async () => {
  const host = await startHost({ threads: 1 })
  const manager = await host.connect()
  const job = hostJob('misbehave.mjs', { how: 'nothing' }, { ...reusable, cancel_grace_ms: 100 })
  const units = [{ how: 'wait', ms: 300 }, { how: 'loop' }, { how: 'nothing' }, { how: 'nothing' }]
  const items = handOverAll(manager, job, units)
  const [first, looping] = items
  if (first === undefined || looping === undefined) throw new Error('no items')
  await waitUntil(() => manager.progress(first.key).length > 0)
  manager.send({ kind: 'stop', key: looping.key, reason: 'cancel' })
  expect(await manager.end(looping.key, 'stopped')).toMatchObject({ elapsedMs: 0 })
  for (const item of items.filter((one) => one !== looping)) await manager.end(item.key, 'completed')
  expect(manager.order).toHaveLength(4)
})

test('never more run at once than there are threads, and they begin in order', async () => {
  const host = await startHost({ threads: 2 })
  const manager = await host.connect()
  const items = handOverAll(
    manager,
    hostJob('misbehave.mjs', { how: 'wait', ms: 100 }),
    Array.from({ length: 7 }, () => ({})),
  )
  let id = 0
  await waitUntil(() => {
    id += 1
    manager.send({ kind: 'ping', id })
    return items.every((item) => manager.ends(item.key).length === 1)
  })
  const counts = manager.messages.flatMap((message) => (message.kind === 'pong' ? [message.attempts.length] : []))
  expect(Math.max(...counts)).toBe(2)
  const begun = [...manager.progressOrder]
  for (const [at, item] of items.entries()) expect(Math.abs(begun.indexOf(item.key) - at)).toBeLessThan(2)
})
