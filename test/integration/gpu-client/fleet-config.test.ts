import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { QueueError } from '../../../src/domain/errors.ts'
import type { GpuWorkerEntry } from '../../../src/domain/wire/gpu.ts'
import { fileWith, makeCertificate, useDirectory } from './certificates.ts'
import { need, useFleet } from './fleet-under-test.ts'
import { serveWorker } from './worker-server.ts'

const key = 'canary-key-5f1c9b2e'
const away = 'http://127.0.0.1:9'

async function refusalOf(call: Promise<unknown>): Promise<QueueError> {
  return call.then(
    () => Promise.reject(new Error('it was accepted')),
    (error: unknown) => error as QueueError,
  )
}

describe('the file of workers', () => {
  test('is written by add and remove, for this user alone', async () => {
    const { fleet, paths } = useFleet({}, { directory: join(useDirectory()) })
    let told = 0
    fleet.onChange(() => {
      told += 1
    })
    await fleet.add('rig', { url: away, key: { file: fileWith(key) } })
    await fleet.add('other', { url: `${away}/x` })
    expect(statSync(paths.gpuWorkers).mode & 0o777).toBe(0o600)
    expect(readFileSync(paths.gpuWorkers, 'utf8')).not.toContain(key)
    expect(fleet.status().map(({ name }) => name)).toEqual(['rig', 'other'])
    expect(told).toBeGreaterThan(0)
    await fleet.remove('rig')
    expect(fleet.status().map(({ name }) => name)).toEqual(['other'])
    expect(await refusalOf(fleet.remove('rig'))).toMatchObject({
      code: 'invalid_input',
      message: 'there is no GPU worker "rig"; there are other',
    })
  })

  test('is read again when a person changes it', async () => {
    const worker = await serveWorker()
    const { fleet, paths } = useFleet({})
    fleet.want([need])
    expect(fleet.isConfigured()).toBe(false)
    writeFileSync(paths.gpuWorkers, JSON.stringify({ workers: { rig: { url: worker.url } } }))
    await expect.poll(() => fleet.placesFor(need)).toBe(2)
    writeFileSync(paths.gpuWorkers, JSON.stringify({ workers: { rig: { url: away } } }))
    await expect.poll(() => fleet.outlookOf(need)).toMatchObject({ error: { details: { gpu_error: 'ECONNREFUSED' } } })
  })

  test('that becomes unreadable changes nothing, and is told of', async () => {
    const worker = await serveWorker()
    const { fleet, paths, warnings } = useFleet({ rig: { url: worker.url } })
    fleet.want([need])
    await expect.poll(() => fleet.placesFor(need)).toBe(2)
    writeFileSync(paths.gpuWorkers, `{"workers": {"rig": "${key}`)
    await expect.poll(() => warnings.length).toBe(1)
    expect(fleet.placesFor(need)).toBe(2)
    const refusal = await refusalOf(fleet.test(null))
    expect(refusal).toMatchObject({ code: 'config_invalid', message: `${paths.gpuWorkers} is not JSON` })
    expect(await refusalOf(fleet.add('x', { url: away }))).toMatchObject({ code: 'config_invalid' })
    expect(readFileSync(paths.gpuWorkers, 'utf8')).toContain('"rig"')
    expect(JSON.stringify([warnings, refusal])).not.toContain(key)
  })

  test('that became unreadable is told where the workers are shown', async () => {
    const { fleet, paths } = useFleet({ rig: { url: away } })
    expect(fleet.status()).toMatchObject([{ name: 'rig', problem: null }])
    writeFileSync(paths.gpuWorkers, '{')
    await expect
      .poll(() => fleet.status()[0]?.problem)
      .toBe(`what was read before holds, since ${paths.gpuWorkers} is not JSON`)
  })

  test('a worker without a GPU is no ready one, unless it was added to compute all the same', async () => {
    const worker = await serveWorker({ health: { gpus: [] } })
    const { fleet } = useFleet({ rig: { url: worker.url }, cpu: { url: worker.url, allow_cpu: true } })
    await fleet.test(null)
    expect(fleet.status()).toMatchObject([
      { name: 'rig', reachable: true, problem: 'no hardware GPU, and added without --allow-cpu' },
      { name: 'cpu', reachable: true, problem: null },
    ])
  })

  test.each([
    [{ workers: { rig: { url: away, key } } }, 'workers.rig.key holds a key itself'],
    [{ workers: { rig: { url: away, api_key: key } } }, 'workers.rig.api_key holds a key itself'],
    [{ workers: { rig: { url: away, token: key } } }, 'workers.rig.token holds a key itself'],
    [{ workers: { rig: { url: `https://user:${key}@rig.local` } } }, 'holds a user name or a password'],
    [{ workers: { rig: { url: 'http://rig.local:7801' } } }, 'plain HTTP goes to this machine only'],
    [{ workers: { rig: { url: away, key: { file: 7 } } } }, 'workers.rig.key'],
    [{ workers: { rig: { url: away, insecure: true } } }, 'insecure'],
    [{ workers: { rig: {} } }, 'workers.rig.url'],
    [{ workers: { 'not a name': { url: away } } }, 'not a name'],
    [[], 'gpu-workers.json'],
  ])('with %j is refused from the start, without repeating a key', (json, words) => {
    const directory = useDirectory()
    writeFileSync(join(directory, 'gpu-workers.json'), JSON.stringify(json))
    const { fleet, warnings } = useFleet({}, { directory })
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain(words)
    expect(warnings[0]).not.toContain(key)
    expect(fleet.isConfigured()).toBe(true)
    expect(fleet.outlookOf(need)).toMatchObject({
      kind: 'unavailable',
      error: { code: 'gpu_unavailable', message: warnings[0], details: { gpu_error: 'CONFIG_INVALID' } },
    })
  })
})

describe('adding a worker', () => {
  test.each<[string, string, () => GpuWorkerEntry, string]>([
    ['a name that is none', 'My Rig', () => ({ url: away }), 'must be a name such as "rig"'],
    [
      'plain HTTP to elsewhere',
      'rig',
      () => ({ url: 'http://rig.local:7801' }),
      'plain HTTP goes to this machine only',
    ],
    ['a relative key file', 'rig', () => ({ url: away, key: { file: 'gpu.key' } }), 'not an absolute path'],
    ['a key file that is not there', 'rig', () => ({ url: away, key: { file: '/none/gpu.key' } }), 'does not exist'],
    [
      'a certificate that is none',
      'rig',
      () => ({ url: 'https://rig.local', ca_file: fileWith(key) }),
      'holds no certificate (PEM)',
    ],
    [
      'a certificate file that is not there',
      'rig',
      () => ({ url: 'https://rig.local', ca_file: '/none/ca' }),
      'ENOENT',
    ],
    ['a certificate without TLS', 'rig', () => ({ url: away, ca_file: fileWith(key) }), 'for https:// only'],
    ['a key itself', 'rig', () => ({ url: away, key: key as never }), 'key'],
  ])('with %s is refused', async (_, name, entry, words) => {
    const { fleet } = useFleet({})
    const refusal = await refusalOf(fleet.add(name, entry()))
    expect(refusal).toMatchObject({ code: 'invalid_input', message: expect.stringContaining(words) })
    expect(JSON.stringify([refusal.message, refusal.remedy])).not.toContain(key)
    expect(fleet.isConfigured()).toBe(false)
  })

  test('refuses a key file that others may read, and says what to do', async () => {
    const file = fileWith(key)
    chmodSync(file, 0o644)
    const { fleet } = useFleet({})
    const refusal = await refusalOf(fleet.add('rig', { url: away, key: { file } }))
    expect(refusal.message).toBe(`the key file ${file} may be read by others (644); run: chmod 600 ${file}`)
  })

  test('takes a pinned certificate and the key to use', async () => {
    const certificate = await makeCertificate()
    const worker = await serveWorker({ certificate, key })
    const { fleet } = useFleet({})
    fleet.want([need])
    await fleet.add('rig', { url: worker.url, ca_file: fileWith(certificate.cert), key: { file: fileWith(key) } })
    await expect.poll(() => fleet.placesFor(need)).toBe(2)
  })

  test('leaves running attempts counted when a worker is replaced', async () => {
    const worker = await serveWorker()
    const { fleet } = useFleet({ rig: { url: away } })
    fleet.occupy('rig')
    await fleet.add('rig', { url: worker.url })
    expect(fleet.status()).toMatchObject([{ url: worker.url, running: 1 }])
  })
})
