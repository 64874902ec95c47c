import { createServer } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { useAttempts } from '../../support/bad-worker/attempt-harness.ts'
import { type Breaker, brokenAnswers } from '../../support/bad-worker/broken-answers.ts'
import { type Certificate, makeCertificate } from '../../support/bad-worker/certificates.ts'
import { checkFault, leaseAndMargin } from '../../support/bad-worker/check-fault.ts'
import { useWorker } from '../../support/bad-worker/use-worker.ts'

const returned = { kind: 'returned', to: 'local' } as const
const cut: Breaker = ({ request }) => void request.socket.destroy()

test('nobody listens: two more tries, then back', async () => {
  const setting = await useWorker()
  setting.worker.die()
  await checkFault(setting, {
    end: { ...returned, why: 'unreachable' },
    runs: 0,
    within: [700, 1_000],
    gpuError: 'ECONNREFUSED',
  })
  expect(setting.attempts.told.faults).toEqual(Array(3).fill('rig not_sent ECONNREFUSED'))
  // 0.5 s and 1 s, half of each by the luck of this test.
  expect(setting.attempts.pauses).toEqual([250, 500])
})

test('nobody listens, and nothing may fall back: to the next GPU', async () => {
  const setting = await useWorker()
  setting.worker.die()
  const end = { kind: 'returned', to: 'gpu', why: 'unreachable' }
  await checkFault(setting, { end, runs: 0, within: [0, 1_000], gpuError: 'ECONNREFUSED' }, { fallback: null })
})

test('no such host: back', async () => {
  const attempts = useAttempts({ workers: [{ name: 'rig', url: 'https://gpu-worker.invalid' }] })
  const end = await attempts.start().ended
  expect(end).toMatchObject({ ...returned, why: 'unreachable' })
  expect(end).toMatchObject({ error: { details: { gpu_error: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/) } } })
})

test('the connection is never made: back, and nothing was sent', async () => {
  // It takes the connection and never shakes hands.
  const silent = createServer((socket) => void socket.on('error', () => undefined))
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void silent.close())
  const { port } = silent.address() as { port: number }
  const attempts = useAttempts({
    workers: [{ name: 'rig', url: `https://127.0.0.1:${port}` }],
    timeouts: { connectMs: 100, headersMs: 400, bodyMs: 400, totalMs: 5_000 },
  })
  const end = await attempts.start().ended
  expect(end).toMatchObject({ ...returned, why: 'unreachable' })
  expect(end).toMatchObject({ error: { details: { gpu_error: 'UND_ERR_CONNECT_TIMEOUT' } } })
  expect(attempts.pauses).toHaveLength(2)
})

describe('TLS', () => {
  const check = async (made: Certificate, ca: string | undefined, gpuError: string): Promise<void> => {
    const setting = await useWorker({ tls: made, ...(ca === undefined ? {} : { ca }) })
    const end = await checkFault(setting, { end: { ...returned, why: 'refused' }, runs: 0, within: [0, 0], gpuError })
    expect(end).toMatchObject({ error: { remedy: expect.stringContaining('--ca-file') } })
    expect(setting.worker.requests).toEqual([])
  }

  test('self-signed: no second try', async () => {
    await check(await makeCertificate({ host: 'loopback' }), undefined, 'DEPTH_ZERO_SELF_SIGNED_CERT')
  })

  test('self-signed by another one than the pinned: no second try', async () => {
    const other = await makeCertificate({ host: 'loopback' })
    await check(await makeCertificate({ host: 'loopback' }), other.cert, 'DEPTH_ZERO_SELF_SIGNED_CERT')
  })

  test('expired: no second try', async () => {
    const made = await makeCertificate({ host: 'loopback', expired: true })
    await check(made, made.cert, 'CERT_HAS_EXPIRED')
  })

  test('for another host: no second try', async () => {
    const made = await makeCertificate({ host: 'elsewhere' })
    await check(made, made.cert, 'ERR_TLS_CERT_ALTNAME_INVALID')
  })

  test('a port without TLS: no second try', async () => {
    const setting = await useWorker()
    const attempts = useAttempts({ workers: [{ name: 'rig', url: setting.worker.url.replace('http:', 'https:') }] })
    const end = await attempts.start().ended
    expect(end).toMatchObject({ ...returned, why: 'refused' })
    expect(end).toMatchObject({ error: { details: { gpu_error: expect.stringMatching(/^ERR_SSL_|EPROTO/) } } })
    expect(setting.worker.requests).toEqual([])
  })

  test('pinned and right: it runs', async () => {
    const made = await makeCertificate({ host: 'loopback' })
    const setting = await useWorker({ tls: made, ca: made.cert })
    await checkFault(setting, { end: { kind: 'completed' }, runs: 1, within: [0, 20_000] })
  })
})

test('it dies in the middle: back when its lease is over, one run', async () => {
  const setting = await useWorker({
    polls: 100,
    misbehave: ({ route, earlier, worker }) => {
      if (route !== 'get' || earlier < 2) return 'pass'
      worker.die()
      return undefined
    },
  })
  await checkFault(setting, {
    end: { ...returned, why: 'unreachable' },
    runs: 1,
    within: [leaseAndMargin, leaseAndMargin + 12_000],
    gpuError: /ECONNREFUSED|UND_ERR_SOCKET|ECONNRESET/,
  })
})

test('it dies in the middle of a pure task that may start here at once: back at once', async () => {
  const setting = await useWorker({
    polls: 100,
    misbehave: ({ route, earlier, worker }) => {
      if (route !== 'get' || earlier < 2) return 'pass'
      worker.die()
      return undefined
    },
  })
  const expected = {
    end: { ...returned, why: 'unreachable' },
    runs: 1,
    within: [0, 12_000],
    gpuError: 'ECONNREFUSED',
  } as const
  await checkFault(setting, expected, { fallback: 'immediate', pure: true })
})

test('"at once" is for pure tasks alone', async () => {
  const setting = await useWorker({
    polls: 100,
    misbehave: ({ route, worker }) => {
      if (route !== 'get') return 'pass'
      worker.die()
      return undefined
    },
  })
  const end = { ...returned, why: 'unreachable' }
  await checkFault(setting, { end, runs: 1, within: [leaseAndMargin, 80_000] }, { fallback: 'immediate', pure: false })
})

test('the request was carried out and its answer lost: found, not sent again', async () => {
  const setting = await useWorker({
    polls: 1,
    misbehave: (exchange) => {
      if (exchange.route !== 'put') return 'pass'
      brokenAnswers['does it and breaks the connection'](exchange)
      return undefined
    },
  })
  await checkFault(setting, { end: { kind: 'completed' }, runs: 1, puts: 1, within: [0, 5_000] })
})

test('the request is lost on its way: sent again under the same id, the same bytes', async () => {
  const sent: string[] = []
  const setting = await useWorker({
    misbehave: (exchange) => {
      if (exchange.route !== 'put') return 'pass'
      sent.push(`${exchange.id} ${exchange.body.toString()}`)
      if (exchange.earlier > 1) return 'pass'
      cut(exchange)
      return undefined
    },
  })
  await checkFault(setting, { end: { kind: 'completed' }, runs: 1, puts: 3, within: [0, 20_000] })
  expect(new Set(sent).size).toBe(1)
})

test('every request is lost on its way: three times, then back when even a late one would be over', async () => {
  const setting = await useWorker({
    misbehave: (exchange) => {
      if (exchange.route !== 'put') return 'pass'
      cut(exchange)
      return undefined
    },
  })
  await checkFault(setting, {
    end: { ...returned, why: 'unreachable' },
    runs: 0,
    puts: 3,
    within: [leaseAndMargin, leaseAndMargin + 6_000],
    gpuError: /UND_ERR_SOCKET|ECONNRESET/,
  })
})

test('a partition shorter than the lease: it goes on', async () => {
  const setting = await useWorker({
    polls: 20,
    misbehave: (exchange) => {
      if (exchange.route !== 'get' || exchange.earlier < 3 || exchange.earlier > 9) return 'pass'
      cut(exchange)
      return undefined
    },
  })
  await checkFault(setting, { end: { kind: 'completed' }, runs: 1, puts: 1, within: [0, 120_000] })
})

test('a partition longer than the lease: back, what ran there has ended, and its late result is heard by nobody', async () => {
  let isCut = false
  const setting = await useWorker({
    polls: 8,
    misbehave: (exchange) => {
      if (exchange.route === 'get' && exchange.earlier === 3) isCut = true
      if (!isCut) return 'pass'
      cut(exchange)
      return undefined
    },
  })
  await checkFault(setting, {
    end: { ...returned, why: 'unreachable' },
    runs: 1,
    puts: 1,
    within: [leaseAndMargin, leaseAndMargin + 12_000],
    gpuError: /UND_ERR_SOCKET|ECONNRESET/,
  })
  isCut = false
  await new Promise((resolve) => setImmediate(resolve))
  expect(setting.attempts.told.ends).toHaveLength(1)
})

test('the lease was lost in a partition and the worker says so: once more on a GPU, no fallback', async () => {
  const setting = await useWorker({
    polls: 100,
    misbehave: (exchange) => {
      if (exchange.route !== 'get' || exchange.earlier < 3) return 'pass'
      // As long as the lease lasts over there; this side counts from later, and adds its margin.
      const [run] = exchange.worker.runs
      if (run !== undefined && (run.leaseUntil ?? 0) < setting.attempts.clock.monotonic()) return 'pass'
      cut(exchange)
      return undefined
    },
  })
  await checkFault(setting, {
    end: { kind: 'returned', to: 'gpu', why: 'lease_expired' },
    runs: 1,
    within: [60_000, leaseAndMargin + 12_000],
    gpuError: 'LEASE_EXPIRED',
  })
})
