import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { statePaths } from '../../../src/config/paths.ts'
import type { WireCheckpoint } from '../../../src/domain/wire/prediction.ts'
import { isAlive } from '../../support/proc.ts'
import { distMain } from '../../support/repository.ts'
import { useTemporaryHome } from '../../support/temporary-home.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { sleepInput, useWorker } from './worker-harness.ts'
import { startProcess } from './worker-process.ts'

test('a killed worker keeps what ended, and marks what ran with its last checkpoint', async () => {
  const home = useTemporaryHome()
  const first = await startProcess(home, ['--slots', '2'])
  await first.put('ended', sleepInput(0, { params: { seconds: 0, result: { kept: true } } }))
  const ended = await first.untilEnded('ended')
  await first.put('ran', sleepInput(60, { unit_id: 'unit-2' }), { lease: 60 })
  const told = await waitUntil(async () => (await first.look('ran')).checkpoint, { what: 'a checkpoint' })
  expect(await first.end('SIGKILL')).toBe('SIGKILL')

  const second = await startProcess(home, ['--slots', '2'])
  const kept = await second.look('ended')
  expect(kept).toMatchObject({ status: 'succeeded', output: { kept: true }, completed_at: ended.completed_at })
  expect(kept.boot_id).not.toBe(ended.boot_id)
  const ran = await second.look('ran')
  expect(ran).toMatchObject({ status: 'failed', error_code: 'WORKER_RESTARTED', lease_expires_in_ms: null })
  expect(ran.checkpoint?.seq).toBeGreaterThanOrEqual(told.seq)
  const sleptIn = (checkpoint: WireCheckpoint | null) =>
    (checkpoint?.inline as { slept_s: number } | undefined)?.slept_s
  expect(sleptIn(ran.checkpoint)).toBeGreaterThanOrEqual(sleptIn(told) ?? 0)
  // Neither is run again.
  expect(await second.put('ran', sleepInput(60, { unit_id: 'unit-2' }))).toMatchObject({
    status: 200,
    body: { error_code: 'WORKER_RESTARTED' },
  })
  expect((await second.ask('/health-check')).body.slots).toEqual({ total: 2, free: 2 })
  expect(await second.end('SIGTERM')).toBe(0)
})

test('what a killed worker ran ends soon, though no worker comes', async () => {
  const home = useTemporaryHome()
  const first = await startProcess(home)
  await first.put('p1', sleepInput(600), { lease: 10 })
  await waitUntil(async () => (await first.look('p1')).checkpoint, { what: 'a checkpoint' })
  const { hosts } = statePaths(statePaths(home.home).gpuWorkerHome)
  const hostIds = readdirSync(hosts, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  const pids = hostIds.map(({ name }) => JSON.parse(readFileSync(join(hosts, name, 'host.json'), 'utf8')).pid as number)
  expect(pids).toHaveLength(1)
  await first.end('SIGKILL')
  await waitUntil(() => pids.every((pid) => !isAlive(pid)), { what: 'the end of the host', timeoutMs: 15_000 })
  const second = await startProcess(home)
  expect(await second.look('p1')).toMatchObject({ error_code: 'WORKER_RESTARTED', checkpoint: { format: 'sleep/1' } })
  await second.end('SIGTERM')
})

test('a prediction is on disk before its answer is sent', async () => {
  const home = useTemporaryHome()
  const first = await startProcess(home)
  expect((await first.put('p1', sleepInput(60))).status).toBe(202)
  await first.end('SIGKILL')
  const second = await startProcess(home)
  expect((await second.look('p1')).error_code).toBe('WORKER_RESTARTED')
  await second.end('SIGTERM')
})

test('a worker that is told to stop ends what runs within 10 s, and tells it as restarted', async () => {
  const home = useTemporaryHome()
  const first = await startProcess(home)
  await first.put('p1', sleepInput(60))
  await waitUntil(async () => (await first.look('p1')).checkpoint, { what: 'a checkpoint' })
  const began = performance.now()
  expect(await first.end('SIGTERM')).toBe(0)
  expect(performance.now() - began).toBeLessThan(10_000)
  expect(first.output()).toContain('stopping')
  const second = await startProcess(home)
  expect(await second.look('p1')).toMatchObject({
    error_code: 'WORKER_RESTARTED',
    checkpoint: { format: 'sleep/1' },
  })
  await second.end('SIGTERM')
})

test('a worker that was stopped over the end of a lease ends the run when it goes on', async () => {
  const home = useTemporaryHome()
  const worker = await startProcess(home)
  await worker.put('p1', sleepInput(60), { lease: 1 })
  worker.child.kill('SIGSTOP')
  const since = performance.now()
  await waitUntil(() => performance.now() - since > 1_100)
  worker.child.kill('SIGCONT')
  // The first thing it hears is a renewal: too late.
  await worker.ask('/predictions/p1', { lease: 60 })
  expect((await worker.untilEnded('p1')).error_code).toBe('LEASE_EXPIRED')
  await worker.end('SIGTERM')
})

test('a state directory has one worker', async () => {
  const home = useTemporaryHome()
  const first = await startProcess(home)
  const args = [distMain, 'worker', '--listen', '127.0.0.1:0']
  const second = spawnSync(process.execPath, args, { env: home.environment, encoding: 'utf8', timeout: 20_000 })
  expect(second.status).not.toBe(0)
  expect(second.stderr).toContain(`another worker (pid ${first.child.pid}) uses this state directory`)
  await first.end('SIGKILL')
  const third = await startProcess(home)
  await third.end('SIGTERM')
  expect(existsSync(join(statePaths(home.home).gpuWorkerHome, 'worker.lock'))).toBe(false)
})

test('a prediction that cannot be read any more is removed, and told in the log', async () => {
  const { home } = useTemporaryHome()
  const first = await useWorker({ home })
  await first.put('p1', sleepInput(0))
  await first.untilEnded('p1')
  await first.worker.close()
  const folder = join(home, 'predictions')
  const [file = ''] = readdirSync(folder)
  writeFileSync(join(folder, file), readFileSync(join(folder, file), 'utf8').slice(0, 50))
  const second = await useWorker({ home })
  expect((await second.ask('/predictions/p1')).status).toBe(404)
  expect(second.log).toContain('a prediction could not be read and is removed')
  expect(readdirSync(join(home, 'attempts'))).toEqual([])
})
