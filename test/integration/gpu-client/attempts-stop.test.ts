import { describe, expect, test } from 'vitest'
import { leaseAndMargin } from '../../support/bad-worker/check-fault.ts'
import { useWorker } from '../../support/bad-worker/use-worker.ts'
import type { Exchange } from '../../support/bad-worker/worker-stand-in.ts'
import { waitUntil } from '../../support/wait-until.ts'

test.each(['cancel', 'release'] as const)('%s: the worker is told, and its end is the end', async (reason) => {
  const { worker, attempts } = await useWorker({ polls: 1_000_000 })
  const { control, ended } = attempts.start()
  await waitUntil(() => worker.runs.length > 0)
  control.stop(reason)
  expect(await ended).toMatchObject({ kind: 'stopped', reason, survivors: [] })
  expect(worker.runs[0]?.status).toBe('canceled')
  expect(attempts.told.held).toBe(0)
})

test('a cancel is stronger than a release', async () => {
  const { worker, attempts } = await useWorker({ polls: 1_000_000 })
  const { control, ended } = attempts.start()
  await waitUntil(() => worker.runs.length > 0)
  control.stop('release')
  control.stop('cancel')
  control.stop('release')
  expect(await ended).toMatchObject({ kind: 'stopped', reason: 'cancel' })
})

test('before anything was sent, nothing is sent', async () => {
  const { worker, attempts } = await useWorker()
  const { control, ended } = attempts.start()
  control.stop('cancel')
  expect(await ended).toMatchObject({ kind: 'stopped' })
  expect(worker.requests).toEqual([])
})

test('while it waits for a busy worker: at once', async () => {
  const { worker, attempts } = await useWorker(
    {
      misbehave: (exchange) => {
        exchange.json(409, { code: 'busy', detail: 'full' }, { 'retry-after': '30' })
        return undefined
      },
    },
    { onPause: () => control.stop('cancel') },
  )
  const { control, ended } = attempts.start()
  expect(await ended).toMatchObject({ kind: 'stopped' })
  expect(worker.requests.map(({ route }) => route)).toEqual(['put'])
})

test('a worker that cannot be reached: over with grace, lease and margin, and no lease is renewed', async () => {
  const { worker, attempts } = await useWorker({ polls: 1_000_000 })
  const { control, ended } = attempts.start()
  await waitUntil(() => worker.requests.length > 2)
  worker.die()
  const asked = attempts.clock.monotonic()
  control.stop('cancel')
  expect(await ended).toMatchObject({ kind: 'stopped', reason: 'cancel' })
  const took = attempts.clock.monotonic() - asked
  expect(took).toBeGreaterThanOrEqual(leaseAndMargin)
  expect(took).toBeLessThanOrEqual(3_000 + leaseAndMargin + 6_000)
})

test('a worker that does not cancel: over after the same time', async () => {
  const { worker, attempts } = await useWorker({
    polls: 1_000_000,
    misbehave: (exchange) => {
      if (exchange.route !== 'cancel') return 'pass'
      const [run] = exchange.worker.runs
      exchange.good()
      if (run !== undefined) run.status = 'processing'
      exchange.json(200, { ...(exchange.good().body as object), status: 'processing', completed_at: null })
      return undefined
    },
  })
  const { control, ended } = attempts.start()
  await waitUntil(() => worker.requests.length > 2)
  control.stop('cancel')
  expect(await ended).toMatchObject({ kind: 'stopped' })
  const at = worker.requests.findIndex(({ route }) => route === 'cancel')
  expect(worker.requests.slice(at).every(({ lease }) => lease === null)).toBe(true)
})

test('what completed before it heard of the cancel is completed', async () => {
  const { worker, attempts } = await useWorker({
    polls: 1_000_000,
    misbehave: (exchange) => {
      if (exchange.route !== 'cancel') return 'pass'
      for (const run of exchange.worker.runs) run.status = 'succeeded'
      return 'pass'
    },
  })
  const { control, ended } = attempts.start()
  await waitUntil(() => worker.runs.length > 0)
  control.stop('release')
  expect(await ended).toMatchObject({ kind: 'completed', result: { sum: 42 } })
})

test('it is told of although the fence refuses the last checkpoint', async () => {
  const checkpoint = { format: 'sum/1', seq: 9, inline: 1 }
  const { worker, attempts } = await useWorker(
    {
      polls: 1_000_000,
      misbehave: (exchange) => {
        if (exchange.route !== 'cancel') return 'pass'
        exchange.json(200, { ...(exchange.good().body as object), checkpoint })
        return undefined
      },
    },
    { checkpointed: () => false },
  )
  const { control, ended } = attempts.start()
  await waitUntil(() => worker.runs.length > 0)
  control.stop('cancel')
  expect(await ended).toMatchObject({ kind: 'stopped' })
})

test('after detach nothing is asked and nothing told; the worker goes on', async () => {
  const { worker, attempts } = await useWorker({ polls: 1_000_000 })
  attempts.start()
  await waitUntil(() => worker.requests.length > 2)
  attempts.executor.detach()
  await waitUntil(() => attempts.told.held === 0)
  const asked = worker.requests.length
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(worker.requests.length).toBeLessThanOrEqual(asked + 1)
  expect(worker.requests.some(({ route }) => route === 'cancel' || route === 'delete')).toBe(false)
  expect(worker.runs[0]?.status).toBe('processing')
  expect(attempts.told.ends).toEqual([])
})

test('workers forget what is acknowledged, and nothing before', async () => {
  const { worker, attempts } = await useWorker()
  await attempts.start().ended
  expect(worker.requests.some(({ route }) => route === 'delete')).toBe(false)
  attempts.executor.acknowledge([attempts.task().fence, { ...attempts.task().fence, attempt: 99 }])
  await waitUntil(() => worker.requests.some(({ route }) => route === 'delete'))
  attempts.executor.acknowledge([attempts.task().fence])
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(worker.requests.filter(({ route }) => route === 'delete')).toHaveLength(1)
})

test('an orphan is told to end once its fallback is committed', async () => {
  let isCut = false
  const { worker, attempts } = await useWorker({
    polls: 1_000_000,
    misbehave: ({ route, earlier, request }) => {
      if (route === 'get' && earlier === 2) isCut = true
      if (!isCut) return 'pass'
      request.socket.destroy()
      return undefined
    },
  })
  expect(await attempts.start({ pure: true, fallback: 'immediate' }).ended).toMatchObject({ kind: 'returned' })
  isCut = false
  attempts.executor.acknowledge([attempts.task().fence])
  await waitUntil(() => worker.runs[0]?.status === 'canceled')
})

describe('while a file comes that never ends', () => {
  const endless = (exchange: Exchange, bytes: number): undefined => {
    exchange.response.writeHead(200, { 'content-length': String(bytes) })
    const timer = setInterval(() => exchange.response.write('x'), 20)
    exchange.response.on('close', () => clearInterval(timer))
    return undefined
  }
  const bytes = 1024 * 1024
  const sha256 = 'd'.repeat(64)

  test.each([
    [
      'an artifact of the result',
      { terminal: { artifacts: [{ name: 'slow', media_type: 'text/plain', bytes, sha256 }] }, polls: 1 },
    ],
    ['a checkpoint', { always: { checkpoint: { format: 'sum/1', seq: 2 ** 25, sha256 } }, polls: 1_000_000 }],
  ])('%s: at once', async (_, stand) => {
    const { worker, attempts } = await useWorker({
      ...stand,
      misbehave: (exchange) => (exchange.route === 'file' ? endless(exchange, bytes) : 'pass'),
    })
    const { control, ended } = attempts.start()
    await waitUntil(() => worker.requests.some(({ route }) => route === 'file'))
    const asked = performance.now()
    control.stop('cancel')
    expect(await ended).toMatchObject({ kind: 'stopped', reason: 'cancel' })
    // The whole of it may take 8 s and more here.
    expect(performance.now() - asked).toBeLessThan(4_000)
    expect(attempts.told.held).toBe(0)
  })
})
