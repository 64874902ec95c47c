import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { waitUntil } from '../support/wait-until.ts'
import { configureWorkers, useWorkerProcess } from './support-gpu/worker-process.ts'
import { counterParams, counterSource, readCounted } from './support-handlers/counter.ts'
import { type HandlerHome, useHandlerHome } from './support-handlers/handler-home.ts'

interface Prices {
  readonly european: { readonly price: number }
  readonly arithmetic_asian: { readonly price: number }
  readonly paths: number
}

/** Several seconds of work: a checkpoint is saved every second. */
const params = { paths: 8_388_608, fixings: 16, seed: 7 }

async function pricesOf(home: HandlerHome, id: string): Promise<Prices> {
  const { result } = await home.client.call('job_result', { id })
  const value = result as unknown as Prices & { readonly result?: Prices }
  return value.result ?? value
}

test('a worker killed at 40 %: the fallback goes on from the merged sums and gives the price of a run without it', async () => {
  const home = useHandlerHome({ gpu_lease: '3s' })
  const worker = await useWorkerProcess()
  await worker.start()
  configureWorkers(home, { rig: worker })
  const plain = await home.submit('montecarlo', params, { gpu: 'never' })
  expect(await home.endOf(plain, 60_000)).toMatchObject({ state: 'completed', execution_mode: 'local' })
  const id = await home.submit('montecarlo', params)
  await waitUntil(async () => ((await home.job(id)).progress?.percent ?? 0) >= 40, {
    timeoutMs: 60_000,
    intervalMs: 100,
    what: 'two fifths of the paths',
  })
  await worker.signal('SIGKILL')
  const job = await home.endOf(id, 90_000)
  expect(job).toMatchObject({ state: 'completed', execution_mode: 'local (gpu fallback)', attempts: 2 })
  const [alone, fallen] = await Promise.all([pricesOf(home, plain), pricesOf(home, id)])
  expect(fallen.paths).toBe(alone.paths)
  expect(Math.abs(fallen.european.price / alone.european.price - 1)).toBeLessThan(1e-9)
  expect(Math.abs(fallen.arithmetic_asian.price / alone.arithmetic_asian.price - 1)).toBeLessThan(1e-9)
  const { jobs } = await home.client.call('job_status', { ids: [id], detail: 'full' })
  const history = jobs[0]?.attempt_history ?? []
  expect(history.map(({ outcome }) => outcome)).toEqual(['released', 'completed'])
  // The real error is kept, and none of it counts as a failure.
  expect(history[0]?.error).toMatchObject({ code: 'gpu_unavailable', message: expect.stringContaining('rig') })
  const { untrusted_output: log } = await home.client.call('job_logs', { id, attempt: 2 })
  const from = Number(/goes on at path (\d+)/.exec(log)?.[1])
  expect(from).toBeGreaterThanOrEqual(0.2 * params.paths)
  await home.stop()
})

test('a worker that is off from the start: it falls back within seconds, with the reason, and offers nothing twice', async () => {
  const home = useHandlerHome()
  const worker = await useWorkerProcess()
  configureWorkers(home, { rig: worker })
  const id = await home.submit('montecarlo', { ...params, paths: 65_536 })
  const job = await home.endOf(id, 30_000)
  expect(job).toMatchObject({ state: 'completed', execution_mode: 'local (gpu fallback)', attempts: 1 })
  const { jobs } = await home.client.call('job_status', { ids: [id], detail: 'full' })
  expect(JSON.stringify(jobs[0])).toContain('ECONNREFUSED')
  await home.stop()
})

test('no worker is configured: it runs here, and nobody calls it a fallback', async () => {
  const home = useHandlerHome()
  const id = await home.submit('montecarlo', { ...params, paths: 65_536 })
  expect(await home.endOf(id)).toMatchObject({ state: 'completed', execution_mode: 'local', attempts: 1 })
  await home.stop()
})

test('require with no worker: queued with the reason, then failed as its gpu_wait_s says', async () => {
  const home = useHandlerHome()
  const patient = await home.submit('montecarlo', { ...params, paths: 65_536 }, { gpu: 'require' })
  const id = await home.submit('montecarlo', { ...params, paths: 65_536 }, { gpu: 'require', gpu_wait_s: 2 })
  await waitUntil(async () => (await home.job(patient)).why.includes('GPU worker'), { what: 'the reason' })
  expect(await home.job(patient)).toMatchObject({ state: 'queued', attempts: 0 })
  const job = await home.endOf(id, 20_000)
  expect(job).toMatchObject({ state: 'failed', error: { code: 'gpu_unavailable' } })
  expect(job.error?.message).toContain('within 2 s')
  await home.client.call('cancel_job', { ids: [patient] })
  await home.stop()
})

test('require while its worker is away: it waits, and runs once the worker is there', async () => {
  const home = useHandlerHome()
  home.write('counter.mjs', counterSource)
  const worker = await useWorkerProcess({ handlers: home.paths.handlers })
  configureWorkers(home, { rig: worker })
  const id = await home.submit('counter', counterParams(home, 'later', 3, 10), { gpu: 'require' })
  await waitUntil(async () => (await home.job(id)).why.includes('ECONNREFUSED'), { what: 'the reason' })
  await worker.start()
  const test = await home.client.call('test_gpu', {})
  expect(test.tests).toMatchObject([{ name: 'rig', state: 'connected' }])
  expect(await home.endOf(id, 60_000)).toMatchObject({ state: 'completed', execution_mode: 'remote (cpu)' })
  await worker.stop()
  await home.stop()
})

test('a cancel reaches the worker: nothing of the job runs on', async () => {
  const home = useHandlerHome()
  home.write('counter.mjs', counterSource)
  const worker = await useWorkerProcess({ handlers: home.paths.handlers })
  await worker.start()
  configureWorkers(home, { rig: worker })
  const id = await home.submit('counter', counterParams(home, 'endless', 100_000, 20), { gpu: 'prefer' })
  await waitUntil(() => readCounted(home).length > 2, { what: 'the run to begin' })
  await home.client.call('cancel_job', { ids: [id] })
  expect(await home.endOf(id, 30_000)).toMatchObject({ state: 'cancelled' })
  const lines = readCounted(home).length
  const next = await home.submit('counter', counterParams(home, 'after', 2, 10), { gpu: 'require' })
  expect(await home.endOf(next)).toMatchObject({ state: 'completed' })
  expect(readCounted(home).filter(({ name }) => name === 'endless')).toHaveLength(lines)
  await worker.stop()
  await home.stop()
})

function filesUnder(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

test('the key is found nowhere: not in the state directory, exports, answers, logs or arguments', async () => {
  const home = useHandlerHome({ gpu_lease: '2s' })
  home.write('counter.mjs', counterSource)
  const worker = await useWorkerProcess({ handlers: home.paths.handlers })
  const stranger = await useWorkerProcess()
  await worker.start()
  await stranger.start()
  // The stranger gets the key of the other one, and refuses it.
  configureWorkers(home, { rig: worker, stranger: { url: stranger.url, keyFile: worker.keyFile } })
  const answers: unknown[] = []
  const ids = [
    await home.submit('counter', counterParams(home, 'good', 3, 10), { gpu: 'require' }),
    await home.submit('counter', counterParams(home, 'lost', 100, 50), { gpu: 'prefer' }),
  ]
  answers.push(await home.client.call('test_gpu', {}), await home.client.call('queue_status', { test_gpu: true }))
  await waitUntil(() => readCounted(home).some(({ name }) => name === 'lost'), { what: 'the second run to begin' })
  const commands = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
  await worker.signal('SIGKILL')
  answers.push(await home.ended(ids, 60_000), await home.client.call('list_gpu_workers', {}))
  for (const id of ids) {
    answers.push(await home.client.call('job_status', { ids: [id], detail: 'full' }))
    answers.push(await home.client.call('job_logs', { id }))
  }
  const exported = await home.client
    .call('export_jobs', { what: 'jobs', format: 'json' })
    .catch((error: unknown) => error)
  answers.push(exported)
  await home.stop()
  const { key } = worker
  expect(JSON.stringify(answers)).not.toContain(key)
  expect(commands).not.toContain(key)
  const found = filesUnder(home.home).filter((file) => readFileSync(file).includes(key))
  expect(found).toEqual([])
  expect(worker.log + stranger.log).not.toContain(key)
})
