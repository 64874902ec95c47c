import { chmodSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type GpuWorkerEntry, type GpuWorkerTest, gpuWorkerTest } from '../../../src/domain/wire/gpu.ts'
import { fileWith, makeCertificate } from './certificates.ts'
import { useFleet } from './fleet-under-test.ts'
import { closedPort, goodHealth, sendJson, serveWorker } from './worker-server.ts'

const key = 'canary-key-5f1c9b2e'

async function testOf(entry: GpuWorkerEntry, timeouts = {}): Promise<GpuWorkerTest> {
  const { fleet } = useFleet({ rig: entry }, { timeouts })
  const [told] = await fleet.test('rig')
  expect(JSON.stringify(told)).not.toContain(key)
  return gpuWorkerTest.parse(told)
}

describe('the test of a worker', () => {
  test('tells that it is connected, with its GPU', async () => {
    const worker = await serveWorker({ key })
    const told = await testOf({ url: worker.url, key: { file: fileWith(key) } })
    expect(told).toMatchObject({
      state: 'connected',
      remedy: null,
      code: null,
      mode: 'full',
      slots: { total: 2, free: 2 },
      job_types: ['montecarlo'],
      gpus: [{ name: 'NVIDIA GeForce RTX 4090', driver_version: '570.86' }],
    })
    expect(told.summary).toMatch(
      /^Connected in .*: NVIDIA GeForce RTX 4090 \(24564 MB, driver 570.86\); 2 of 2 places free\.$/,
    )
    expect(told.latency_ms).toBeGreaterThanOrEqual(0)
  })

  test('tells a wrong protocol by a memory that would be endless in bytes', async () => {
    const gpus = goodHealth.gpus.map((gpu) => ({ ...gpu, memory_total_mb: 1e308 }))
    const worker = await serveWorker({ health: { gpus } })
    expect(await testOf({ url: worker.url })).toMatchObject({ state: 'wrong_protocol', code: 'WRONG_SHAPE', gpus: [] })
  })

  test('tells busy', async () => {
    const worker = await serveWorker({ health: { slots: { total: 2, free: 0 }, status: 'BUSY' } })
    expect(await testOf({ url: worker.url })).toMatchObject({
      state: 'busy',
      code: null,
      summary: expect.stringContaining('0 of 2'),
    })
  })

  test('tells a refused key', async () => {
    const worker = await serveWorker({ key: 'another-key' })
    const file = fileWith(key)
    expect(await testOf({ url: worker.url, key: { file } })).toMatchObject({
      state: 'key_refused',
      code: 'HTTP_401',
      summary: `The worker answered, but refused the key: the one in the file ${file} is not the one that it was started with.`,
      remedy: `Copy the worker's key into the file ${file}, then test again.`,
    })
  })

  test('tells that a key is wanted', async () => {
    const worker = await serveWorker({ key })
    expect(await testOf({ url: worker.url })).toMatchObject({
      state: 'key_missing',
      remedy: expect.stringContaining('--key-file'),
    })
  })

  test('tells that the key cannot be read, and sends nothing', async () => {
    const worker = await serveWorker()
    const file = fileWith(key)
    chmodSync(file, 0o644)
    expect(await testOf({ url: worker.url, key: { file } })).toMatchObject({
      state: 'key_missing',
      code: 'KEY_MODE',
      summary: expect.stringContaining(`chmod 600 ${file}`),
    })
    expect(await testOf({ url: worker.url, key: { env: 'NIGHTKILN_NO_SUCH_KEY' } })).toMatchObject({
      state: 'key_missing',
      code: 'KEY_NOT_SET',
    })
    expect(worker.requests).toEqual([])
  })

  test('tells a self-signed certificate, and names --ca-file', async () => {
    const worker = await serveWorker({ certificate: await makeCertificate() })
    const file = fileWith(key)
    expect(await testOf({ url: worker.url, key: { file } })).toMatchObject({
      state: 'tls_problem',
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
      summary: `No trusted connection to ${worker.url}: its certificate is self-signed (DEPTH_ZERO_SELF_SIGNED_CERT).`,
      remedy: `Copy the worker's certificate to this machine and name it: nightkiln gpu add rig ${worker.url} --replace --key-file ${file} --ca-file FILE`,
    })
    expect(worker.requests).toEqual([])
  })

  test('tells an expired certificate and one for another host', async () => {
    for (const [options, code] of [
      [{ expired: true }, 'CERT_HAS_EXPIRED'],
      [{ host: 'other.example' }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ] as const) {
      const certificate = await makeCertificate(options)
      const worker = await serveWorker({ certificate })
      const told = await testOf({ url: worker.url, ca_file: fileWith(certificate.cert) })
      expect(told).toMatchObject({ state: 'tls_problem', code })
      expect(told.remedy).not.toBeNull()
    }
  })

  test('tells TLS where there is none', async () => {
    const worker = await serveWorker()
    expect(await testOf({ url: worker.url.replace('http:', 'https:') })).toMatchObject({
      state: 'tls_problem',
      remedy: expect.stringContaining('serves TLS on this port'),
    })
  })

  test('tells that a certificate file is gone', async () => {
    const file = fileWith((await makeCertificate()).cert)
    const { fleet } = useFleet({ rig: { url: 'https://127.0.0.1:9', ca_file: file } })
    writeFileSync(file, 'rubbish')
    expect(await fleet.test('rig')).toMatchObject([{ state: 'tls_problem', code: 'CA_FILE' }])
    expect(fleet.clientOf('rig')).toBeNull()
  })

  test('tells that nothing listens', async () => {
    const url = `http://127.0.0.1:${await closedPort()}`
    expect(await testOf({ url })).toMatchObject({
      state: 'unreachable',
      code: 'ECONNREFUSED',
      latency_ms: null,
      summary: `No connection to ${url}: connection refused (ECONNREFUSED).`,
    })
  })

  test('tells a hanging worker within its bound', async () => {
    const worker = await serveWorker({ answer: () => true })
    expect(await testOf({ url: worker.url }, { totalMs: 300 })).toMatchObject({
      state: 'unreachable',
      code: 'DEADLINE',
    })
  })

  test.each([
    ['a page', { hello: 1 }, 200, 'NOT_A_WORKER'],
    ['no JSON', null, 200, 'WRONG_SHAPE'],
    ['a redirect', {}, 302, 'REDIRECT'],
    ['nothing there', {}, 404, 'HTTP_404'],
  ])('tells that %s is no worker', async (_, body, status, code) => {
    const page = await serveWorker({ answer: (_request, response) => sendJson(response, body, status) })
    expect(await testOf({ url: page.url })).toMatchObject({ state: 'wrong_protocol', code })
  })

  test('tells another protocol', async () => {
    const worker = await serveWorker({ health: { protocol: 7 } })
    const told = await testOf({ url: worker.url })
    expect(told).toMatchObject({ state: 'wrong_protocol', code: 'WRONG_PROTOCOL' })
    expect(told.latency_ms).not.toBeNull()
  })

  test('tells that there is no GPU, and how to use it all the same', async () => {
    const worker = await serveWorker({ health: { gpus: [] } })
    expect(await testOf({ url: worker.url })).toMatchObject({
      state: 'no_gpu',
      remedy: expect.stringContaining('--allow-cpu'),
    })
    expect(await testOf({ url: worker.url, allow_cpu: true })).toMatchObject({
      state: 'connected',
      summary: expect.stringContaining('no hardware GPU'),
    })
  })

  test('makes harmless what a worker says of itself', async () => {
    const worker = await serveWorker()
    worker.health = { ...worker.health, gpus: worker.health.gpus.map((gpu) => ({ ...gpu, name: '\u001b[31mRTX' })) }
    const told = await testOf({ url: worker.url })
    expect(told.summary).not.toContain('\u001b')
    expect(told.gpus[0]?.name).toBe('\\x1b[31mRTX')
  })

  test('is of all workers when none is named, and refuses unknown names', async () => {
    const worker = await serveWorker()
    const { fleet } = useFleet({ a: { url: worker.url }, b: { url: 'http://127.0.0.1:9' } })
    expect((await fleet.test(null)).map(({ name, state }) => [name, state])).toEqual([
      ['a', 'connected'],
      ['b', 'unreachable'],
    ])
    await expect(fleet.test('c')).rejects.toMatchObject({
      code: 'invalid_input',
      message: 'there is no GPU worker "c"; there are a, b',
    })
  })
})
