import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { WorkerFault } from '../../../src/gpu-client/worker-client.ts'
import { fileWith } from './certificates.ts'
import { type FleetUnderTest, need, useFleet } from './fleet-under-test.ts'
import { closedPort, serveWorker } from './worker-server.ts'

const broken = new WorkerFault('ambiguous', 'ECONNRESET', 'the connection broke')
const served = (fleet: FleetUnderTest['fleet']) => fleet.status()[0]

async function opened(options: Parameters<typeof useFleet>[1] = {}) {
  const worker = await serveWorker()
  const under = useFleet({ rig: { url: worker.url } }, options)
  for (let count = 0; count < 3; count += 1) under.fleet.reportFault('rig', broken)
  await expect.poll(() => served(under.fleet)?.breaker).toBe('open')
  return { ...under, worker }
}

describe('the breaker of a worker', () => {
  test('opens at the third failure in a row, not before, and then nothing is sent', async () => {
    const worker = await serveWorker()
    const { fleet } = useFleet({ rig: { url: worker.url } })
    const report = async (fault: WorkerFault | null): Promise<void> => {
      if (fault === null) fleet.reportSuccess('rig')
      else fleet.reportFault('rig', fault)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await report(broken)
    await report(broken)
    await report(null)
    await report(broken)
    await report(broken)
    expect(served(fleet)?.breaker).toBe('closed')
    await report(broken)
    expect(served(fleet)).toMatchObject({ breaker: 'open', reachable: false })
    fleet.want([need])
    expect(fleet.outlookOf(need)).toMatchObject({
      kind: 'unavailable',
      error: {
        message: expect.stringMatching(/circuit open until 20\d\d-.* UTC$/),
        details: { gpu_error: 'ECONNRESET' },
      },
    })
    expect(fleet.reserve(need, new Set())).toBeNull()
    await new Promise((resolve) => setTimeout(resolve, 150))
    expect(worker.requests).toEqual([])
  })

  test.each([
    ['busy', 'BUSY'],
    ['slow_down', 'HTTP_429'],
    ['slow_down', 'NOT_READY'],
    ['rejected', 'HTTP_422'],
    ['not_served', 'UNKNOWN_TYPE'],
    ['ambiguous', 'ABORTED'],
  ] as const)('does not count %s %s', async (kind, code) => {
    const { fleet } = useFleet({ rig: { url: 'http://127.0.0.1:9' } })
    for (let count = 0; count < 5; count += 1) fleet.reportFault('rig', new WorkerFault(kind, code, ''))
    await new Promise((resolve) => setImmediate(resolve))
    expect(served(fleet)?.breaker).toBe('closed')
  })

  test.each([
    ['not_sent', 'ECONNREFUSED'],
    ['tls', 'CERT_HAS_EXPIRED'],
    ['server_error', 'HTTP_500'],
    ['slow_down', 'HTTP_503'],
  ] as const)('counts %s %s', async (kind, code) => {
    const { fleet } = useFleet({ rig: { url: 'http://127.0.0.1:9' } })
    for (let count = 0; count < 3; count += 1) fleet.reportFault('rig', new WorkerFault(kind, code, ''))
    await expect.poll(() => served(fleet)?.breaker).toBe('open')
  })

  test('closes when a health check succeeds after its time', async () => {
    const { fleet, worker } = await opened({ pace: { breakerFirstMs: 200 } })
    fleet.want([need])
    await expect.poll(() => fleet.outlookOf(need).kind).toBe('ready')
    expect(served(fleet)).toMatchObject({ breaker: 'closed', breaker_until: null })
    expect(worker.requests.slice(0, 2)).toEqual(['GET /', 'GET /health-check'])
  })

  test('stays open twice as long after each failed health check, up to its longest time', async () => {
    const { fleet, worker } = await opened({ pace: { breakerFirstMs: 100, breakerLongestMs: 350 } })
    await worker.stop()
    const lengths = new Set<number>()
    let last = ''
    fleet.want([need])
    await expect
      .poll(
        () => {
          const until = served(fleet)?.breaker_until ?? null
          if (until !== null && until !== last) {
            last = until
            lengths.add(Math.ceil((Date.parse(until) - Date.now()) / 50))
          }
          return Math.max(...lengths)
        },
        { interval: 5 },
      )
      .toBe(7)
    expect([...lengths].every((length) => length <= 7)).toBe(true)
  })

  test('outlives the manager', async () => {
    const before = await opened()
    const { breaker_until: until } = served(before.fleet) ?? {}
    await before.fleet.close()
    const { fleet } = useFleet({}, { directory: before.directory })
    expect(served(fleet)).toMatchObject({ breaker: 'open', breaker_until: until })
    fleet.want([need])
    expect(fleet.outlookOf(need)).toMatchObject({
      kind: 'unavailable',
      error: { details: { gpu_error: 'ECONNRESET' } },
    })
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(before.worker.requests).toEqual([])
    expect(execFileSync('stat', ['-c', '%a', before.paths.gpuBreakers], { encoding: 'utf8' }).trim()).toBe('600')
  })

  test('does not stay open longer because the clock was set back', async () => {
    const before = await opened()
    await before.fleet.close()
    const text = readFileSync(before.paths.gpuBreakers, 'utf8')
    writeFileSync(before.paths.gpuBreakers, text.replace(/"openedAt":\d+/, `"openedAt":${Date.now() + 3_600_000}`))
    const { fleet } = useFleet({}, { directory: before.directory })
    expect(served(fleet)?.breaker).toBe('open')
    expect(Date.parse(served(fleet)?.breaker_until ?? '')).toBeLessThanOrEqual(Date.now() + 30_000)
  })

  test('is half open when its time is over, and nobody is asked before something is wanted', async () => {
    const { fleet, worker } = await opened({ pace: { breakerFirstMs: 50 } })
    await expect.poll(() => served(fleet)?.breaker).toBe('half_open')
    fleet.reportFault('rig', broken)
    expect(served(fleet)?.breaker).toBe('half_open')
    expect(worker.requests).toEqual([])
  })

  test('counts over a restart', async () => {
    const one = useFleet({ rig: { url: 'http://127.0.0.1:9' } })
    one.fleet.reportFault('rig', broken)
    one.fleet.reportFault('rig', broken)
    await expect.poll(() => readFileSync(one.paths.gpuBreakers, 'utf8')).toContain('"breakerState":2')
    await one.fleet.close()
    const { fleet } = useFleet({}, { directory: one.directory })
    fleet.reportFault('rig', broken)
    await expect.poll(() => served(fleet)?.breaker).toBe('open')
  })

  test('begins anew for another URL, and from a damaged file', async () => {
    const before = await opened()
    await before.fleet.close()
    writeFileSync(before.paths.gpuWorkers, JSON.stringify({ workers: { rig: { url: 'http://127.0.0.1:9' } } }))
    expect(served(useFleet({}, { directory: before.directory }).fleet)?.breaker).toBe('closed')
    writeFileSync(before.paths.gpuBreakers, '{"workers":')
    expect(served(useFleet({}, { directory: before.directory }).fleet)?.breaker).toBe('closed')
  })

  test('opens for good when the key is refused, until the key file changes', async () => {
    const worker = await serveWorker({ key: 'the-right-key' })
    const file = fileWith('the-wrong-key')
    const { fleet, paths, directory } = useFleet({ rig: { url: worker.url, key: { file } } })
    fleet.want([need])
    await expect.poll(() => fleet.outlookOf(need)).toMatchObject({ error: { details: { gpu_error: 'KEY_REFUSED' } } })
    expect(served(fleet)).toMatchObject({
      breaker: 'open',
      breaker_until: null,
      problem: expect.stringContaining('refused the key'),
    })
    const asked = worker.requests.length
    expect(asked).toBe(1)
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(worker.requests.length).toBe(asked)
    await expect.poll(() => readFileSync(paths.gpuBreakers, 'utf8')).toContain('KEY_REFUSED')
    expect(readFileSync(paths.gpuBreakers, 'utf8')).not.toContain('the-wrong-key')
    await fleet.close()
    const next = useFleet({}, { directory })
    expect(served(next.fleet)?.breaker).toBe('open')
    writeFileSync(file, 'the-right-key')
    next.fleet.want([need])
    await expect.poll(() => next.fleet.outlookOf(need).kind).toBe('ready')
    expect(served(next.fleet)?.breaker).toBe('closed')
  })

  test('closes when a test of the worker succeeds', async () => {
    const { fleet } = await opened()
    expect(await fleet.test('rig')).toMatchObject([{ state: 'connected' }])
    expect(served(fleet)?.breaker).toBe('closed')
    expect(fleet.placesFor(need)).toBe(2)
  })

  test('of a worker that is away from the start opens by its looks', async () => {
    const { fleet } = useFleet({ rig: { url: `http://127.0.0.1:${await closedPort()}` } })
    fleet.want([need])
    await expect.poll(() => served(fleet)?.breaker).toBe('open')
    expect(served(fleet)?.problem).toMatch(/^connection refused \(ECONNREFUSED, 3 tries\); circuit open until/)
  })
})
