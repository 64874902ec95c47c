import { describe, expect, test } from 'vitest'
import { WorkerFault } from '../../../src/gpu-client/worker-client.ts'
import { need, useFleet } from './fleet-under-test.ts'
import { closedPort, goodHealth, sendJson, serveWorker } from './worker-server.ts'

const slots = (total: number, free: number) => ({ slots: { total, free } })

describe('a fleet', () => {
  test('without workers says so', () => {
    const { fleet } = useFleet({})
    expect(fleet.isConfigured()).toBe(false)
    expect(fleet.outlookOf(need)).toMatchObject({
      kind: 'unavailable',
      error: {
        code: 'gpu_unavailable',
        message: 'no GPU worker is configured',
        details: { gpu_error: 'NOT_CONFIGURED' },
      },
    })
    expect(fleet.reserve(need, new Set())).toBeNull()
  })

  test('asks nobody until something is wanted, and nobody when nothing is wanted any more', async () => {
    const worker = await serveWorker({ health: slots(1, 0) })
    const { fleet } = useFleet({ rig: { url: worker.url } }, { pace: { lateMs: 40 } })
    expect(fleet.isConfigured()).toBe(true)
    expect([fleet.placesFor(need), fleet.outlookOf(need).kind]).toEqual([0, 'checking'])
    expect(fleet.status()).toMatchObject([
      { name: 'rig', reachable: null, mode: null, looked_at: null, breaker: 'closed' },
    ])
    expect(worker.requests).toEqual([])
    fleet.want([need])
    await expect.poll(() => worker.requests.length).toBeGreaterThan(4)
    fleet.want([])
    await expect.poll(() => fleet.outlookOf(need).kind).toBe('busy')
    const asked = worker.requests.length
    await new Promise((resolve) => setTimeout(resolve, 300))
    // One look may have been under way.
    expect(worker.requests.length).toBeLessThanOrEqual(asked + 2)
  })

  test('tells places, and that they changed', async () => {
    const worker = await serveWorker({ health: slots(3, 2) })
    const { fleet } = useFleet({ rig: { url: worker.url } })
    let told = 0
    fleet.onChange(() => {
      told += 1
    })
    fleet.want([need])
    await expect.poll(() => fleet.placesFor(need)).toBe(2)
    expect(told).toBeGreaterThan(0)
    expect(fleet.outlookOf(need)).toEqual({ kind: 'ready' })
    expect(fleet.status()).toMatchObject([
      {
        mode: 'full',
        reachable: true,
        slots: { total: 3, free: 2 },
        job_types: ['montecarlo'],
        gpus: [{ name: 'NVIDIA GeForce RTX 4090', memory_total_mb: 24_564, software: false }],
        problem: null,
        version: '0.1.0',
      },
    ])
  })

  test('says busy while all places are taken, and sees one that comes free', async () => {
    const worker = await serveWorker({ health: slots(2, 0) })
    const { fleet } = useFleet({ rig: { url: worker.url } })
    fleet.want([need])
    await expect.poll(() => fleet.outlookOf(need).kind).toBe('busy')
    expect(fleet.outlookOf(need)).toMatchObject({
      error: {
        code: 'gpu_unavailable',
        message: 'worker "rig": all its places are taken (2)',
        details: { worker: 'rig', gpu_error: 'BUSY' },
      },
    })
    worker.health = { ...worker.health, slots: { total: 2, free: 1 } }
    await expect.poll(() => fleet.outlookOf(need).kind).toBe('ready')
  })

  test('tries a worker that refuses connections three times, then says so', async () => {
    const { fleet } = useFleet({ rig: { url: `http://127.0.0.1:${await closedPort()}` } })
    fleet.want([need])
    expect(fleet.outlookOf(need).kind).toBe('checking')
    await expect.poll(() => fleet.outlookOf(need).kind).toBe('unavailable')
    expect(fleet.outlookOf(need)).toMatchObject({
      error: {
        code: 'gpu_unavailable',
        message: 'worker "rig": connection refused (ECONNREFUSED, 3 tries)',
        details: { worker: 'rig', gpu_error: 'ECONNREFUSED' },
      },
    })
    expect(fleet.status()).toMatchObject([{ reachable: false, problem: 'connection refused (ECONNREFUSED, 3 tries)' }])
  })

  test('does not wait for a worker that takes the connection and says nothing', async () => {
    const worker = await serveWorker({ answer: () => true })
    const { fleet } = useFleet({ rig: { url: worker.url } }, { pace: { checkingMs: 150 } })
    fleet.want([need])
    expect(fleet.outlookOf(need).kind).toBe('checking')
    await expect.poll(() => fleet.outlookOf(need).kind, { timeout: 5_000 }).toBe('unavailable')
    expect(fleet.outlookOf(need)).toMatchObject({ error: { message: 'worker "rig": no answer so far' } })
  })

  test('asks a worker that comes back', async () => {
    const port = await closedPort()
    const { fleet } = useFleet({ rig: { url: `http://127.0.0.1:${port}` } }, { pace: { breakerFirstMs: 100 } })
    fleet.want([need])
    await expect.poll(() => fleet.outlookOf(need).kind).toBe('unavailable')
    await serveWorker({ port })
    await expect.poll(() => fleet.outlookOf(need).kind).toBe('ready')
  })

  test('asks anew when something is wanted again, instead of telling old news', async () => {
    const port = await closedPort()
    const { fleet } = useFleet(
      { rig: { url: `http://127.0.0.1:${port}` } },
      { pace: { lateMs: 60_000, soonMs: 1, tickMs: 60_000 } },
    )
    // It is asked once, by the wish itself: three failed looks would open the breaker.
    fleet.want([need])
    await expect.poll(() => fleet.outlookOf(need).kind).toBe('unavailable')
    fleet.want([])
    await serveWorker({ port })
    fleet.want([need])
    expect(fleet.outlookOf(need).kind).toBe('checking')
    await expect.poll(() => fleet.outlookOf(need).kind).toBe('ready')
  })

  test('leaves a worker alone as long as that asks for', async () => {
    const worker = await serveWorker({
      answer: (_, response) => sendJson(response, {}, 503, { 'retry-after': '600' }),
    })
    const { fleet } = useFleet({ rig: { url: worker.url } }, { pace: { soonMs: 1 } })
    fleet.want([need])
    await expect.poll(() => fleet.outlookOf(need).kind).toBe('unavailable')
    fleet.want([])
    fleet.want([need])
    expect(fleet.outlookOf(need)).toMatchObject({ kind: 'unavailable', error: { details: { gpu_error: 'HTTP_503' } } })
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(worker.requests).toEqual(['GET /'])
  })

  test.each([
    ['nothing of the kind', { job_types: {} }, 'UNKNOWN_TYPE'],
    [
      'another version',
      { job_types: { montecarlo: { version: '2', checkpoint_format: 'x', gpu: true } } },
      'UNKNOWN_VERSION',
    ],
    ['no GPU', { gpus: [] }, 'NO_GPU'],
  ])('says that a worker serves %s', async (_, health, code) => {
    const worker = await serveWorker({ health })
    const { fleet } = useFleet({ rig: { url: worker.url } })
    fleet.want([need])
    await expect
      .poll(() => fleet.outlookOf(need))
      .toMatchObject({
        kind: 'unavailable',
        error: { code: 'gpu_unavailable', details: { worker: 'rig', gpu_error: code } },
      })
  })

  test('knows a plain Cog server by its first page', async () => {
    const cog = await serveWorker({
      answer: ({ url }, response) => {
        if (url === '/') {
          return sendJson(response, {
            cog_version: '0.22',
            predictions_url: '/p',
            predictions_idempotent_url: '/p/{id}',
          })
        }
        return sendJson(response, { status: 'READY', setup: { status: 'succeeded' } })
      },
    })
    const { fleet } = useFleet({ cog: { url: cog.url, cog_type: 'montecarlo', allow_cpu: true } })
    fleet.want([{ ...need, pure: true }])
    await expect.poll(() => fleet.placesFor({ ...need, pure: true })).toBe(1)
    expect(fleet.placesFor(need)).toBe(0)
    expect(fleet.status()).toMatchObject([{ mode: 'cog', version: '0.22', job_types: ['montecarlo'], gpus: [] }])
    expect(fleet.reserve({ ...need, pure: true }, new Set())).toMatchObject({ worker: 'cog', mode: 'cog' })
  })

  test('refuses a page that is no worker, and asks no further', async () => {
    const page = await serveWorker({ answer: (_, response) => sendJson(response, { hello: 'world' }) })
    const { fleet } = useFleet({ rig: { url: page.url } })
    fleet.want([need])
    await expect.poll(() => fleet.outlookOf(need)).toMatchObject({ error: { details: { gpu_error: 'NOT_A_WORKER' } } })
    expect(page.requests.filter((request) => request !== 'GET /')).toEqual([])
  })
})

describe('a reservation', () => {
  test('takes the worker with most free places, and leaves out those that were tried', async () => {
    const small = await serveWorker({ health: slots(1, 1) })
    const large = await serveWorker({ health: slots(4, 3) })
    const { fleet } = useFleet({ small: { url: small.url }, large: { url: large.url } })
    fleet.want([need])
    await expect.poll(() => fleet.placesFor(need)).toBe(4)
    const taken = [1, 2, 3, 4].map(() => fleet.reserve(need, new Set())?.worker)
    expect(taken.filter((name) => name === 'large')).toHaveLength(3)
    expect(fleet.reserve(need, new Set())).toBeNull()
    expect(fleet.placesFor(need)).toBe(0)
    expect(fleet.outlookOf(need).kind).toBe('busy')
    expect(fleet.status().map(({ name, running }) => [name, running])).toEqual([
      ['small', 1],
      ['large', 3],
    ])
  })

  test('excludes', async () => {
    const one = await serveWorker()
    const { fleet } = useFleet({ one: { url: one.url } })
    fleet.want([need])
    await expect.poll(() => fleet.placesFor(need)).toBe(2)
    expect(fleet.reserve(need, new Set(['one']))).toBeNull()
    const place = fleet.reserve(need, new Set())
    expect(fleet.placesFor(need)).toBe(1)
    place?.release()
    place?.release()
    expect(fleet.placesFor(need)).toBe(2)
  })

  test('of an attempt that runs there already counts, even at a worker that is gone', async () => {
    const worker = await serveWorker({ health: slots(2, 2) })
    const { fleet } = useFleet({ rig: { url: worker.url } })
    fleet.occupy('rig')
    const gone = fleet.occupy('gone')
    fleet.want([need])
    await expect.poll(() => fleet.placesFor(need)).toBe(1)
    gone.release()
    expect(fleet.status()).toMatchObject([{ running: 1 }])
    expect([fleet.clientOf('gone'), fleet.entryOf('gone')]).toEqual([null, null])
    expect(fleet.entryOf('rig')).toEqual({ url: worker.url })
    expect(await fleet.clientOf('rig')?.health()).toMatchObject({ boot_id: goodHealth.boot_id })
  })

  test('at a worker that answers busy is not offered again before the next look', async () => {
    const worker = await serveWorker()
    const { fleet } = useFleet({ rig: { url: worker.url } }, { pace: { soonMs: 10_000 } })
    fleet.want([need])
    await expect.poll(() => fleet.placesFor(need)).toBe(2)
    fleet.reportFault('rig', new WorkerFault('busy', 'BUSY', 'it has no free place', { retryAfterMs: 60_000 }))
    expect([fleet.placesFor(need), fleet.outlookOf(need).kind]).toEqual([0, 'busy'])
  })
})
