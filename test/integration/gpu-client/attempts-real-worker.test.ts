import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../../src/domain/clock.ts'
import type { AttemptControl, AttemptEnd } from '../../../src/domain/ports/attempt.ts'
import type {
  Checkpoint,
  RemoteExecutor,
  RemoteIdentity,
  RemoteObserver,
  RemoteTask,
} from '../../../src/domain/ports/remote-executor.ts'
import { createRemoteExecutor } from '../../../src/gpu-client/attempts/remote-executor.ts'
import { defaultAttemptTimings } from '../../../src/gpu-client/attempts/timings.ts'
import { createGpuFleet } from '../../../src/gpu-client/fleet/create-fleet.ts'
import { seedOfUnit } from '../../../src/platform/unit-seed.ts'
import { openAttemptLog } from '../../../src/workers/attempt-log.ts'
import { useWorkerProcess, type WorkerProcess } from '../../crash/support-gpu/worker-process.ts'
import { useTemporaryHome } from '../../support/temporary-home.ts'
import { waitUntil } from '../../support/wait-until.ts'

/** A worker and attempts as they ship, on real clocks with a short lease. */
interface Setting {
  readonly worker: WorkerProcess
  readonly directory: string
  readonly offered: RemoteIdentity[]
  readonly checkpoints: Checkpoint[]
  readonly executor: RemoteExecutor
  /** Of the next manager. */
  another(): RemoteExecutor
  task(changes?: Partial<RemoteTask>): RemoteTask
  run(begin: (observer: RemoteObserver) => AttemptControl): { control: AttemptControl; ended: Promise<AttemptEnd> }
}

const handler = `
import { appendFileSync } from 'node:fs'
import { defineHandler, z } from 'nightkiln/handler'

export default defineHandler({
  type: 'count',
  title: 'Count',
  description: 'Counts.',
  version: '7',
  checkpointFormat: 'count/1',
  params: z.object({ file: z.string(), to: z.int() }),
  result: z.object({ seed: z.number(), large: z.string(), from: z.int() }),
  async run(context) {
    appendFileSync(context.params.file, context.unitId + '\\n')
    for (let n = context.lastCheckpoint?.n ?? 0; n < context.params.to; n += 1) {
      context.log.info('at ' + n)
      context.progress(n, context.params.to)
      context.checkpoint({ n })
      await context.cancellation.wait(50)
    }
    await context.artifact('counted.txt', 'x'.repeat(300000))
    return { seed: context.seed, large: 'y'.repeat(200000), from: context.lastCheckpoint?.n ?? 0 }
  },
})
`

async function useSetting(leaseSeconds = 3): Promise<Setting> {
  const { home } = useTemporaryHome()
  const handlers = join(home, 'handlers')
  mkdirSync(handlers, { mode: 0o700 })
  writeFileSync(join(handlers, 'count.mjs'), handler, { mode: 0o600 })
  const worker = await useWorkerProcess({ handlers, slots: 2 })
  await worker.start()
  const paths = { gpuWorkers: join(home, 'gpu-workers.json'), gpuBreakers: join(home, 'gpu-breakers.json') }
  const entry = { url: worker.url, key: { file: worker.keyFile }, allow_cpu: true }
  writeFileSync(paths.gpuWorkers, JSON.stringify({ workers: { rig: entry } }), { mode: 0o600 })
  const fleet = createGpuFleet({ paths, clock: systemClock, warn: () => undefined })
  onTestFinished(() => fleet.close())
  const need = { type: 'count', version: '7', gpuMemoryMegabytes: null, pure: false }
  fleet.want([need])
  await waitUntil(() => fleet.placesFor(need) > 0, { what: 'a place at the worker' })

  const another = (): RemoteExecutor => {
    const executor = createRemoteExecutor({
      fleet,
      openLog: openAttemptLog,
      clock: systemClock,
      random: Math.random,
      createId: randomUUID,
      log: { debug: () => undefined, warn: () => undefined },
      leaseSeconds,
      timings: { ...defaultAttemptTimings, pollFirstMs: 200, pollLastMs: 700, marginMs: 1_000 },
    })
    onTestFinished(() => executor.detach())
    return executor
  }
  const offered: RemoteIdentity[] = []
  const checkpoints: Checkpoint[] = []
  const directory = join(home, 'attempts', 'unit.1.nonce')
  return {
    worker,
    directory,
    offered,
    checkpoints,
    executor: another(),
    another,
    task: (changes = {}) => ({
      ...need,
      fence: { unitId: 'unit', attempt: 1, nonce: 'nonce', workerId: 'w' },
      jobId: 'job',
      params: { file: join(home, 'began'), to: 20 },
      unit: undefined,
      position: 0,
      dependencies: {},
      checkpoint: null,
      checkpointFormat: 'count/1',
      onLeaseEnd: 'cancel',
      fallback: 'after_lease',
      unitTimeoutMs: null,
      idleTimeoutMs: null,
      cancelGraceMs: 1_000,
      maxOutputBytes: 1_000_000,
      elapsedMs: 0,
      earlierRestarts: 0,
      directory,
      ...changes,
    }),
    run(begin) {
      let end: (end: AttemptEnd) => void = () => undefined
      const ended = new Promise<AttemptEnd>((resolve) => {
        end = resolve
      })
      const control = begin({
        started: () => undefined,
        progressed: () => undefined,
        computesOn: () => undefined,
        offering: async (remote) => offered.push(remote) > 0,
        checkpointed: async (checkpoint) => checkpoints.push(checkpoint) > 0,
        ended: end,
      })
      return { control, ended }
    },
  }
}

const begun = ({ task }: Setting): number =>
  readFileSync(String(task().params['file']), 'utf8').trim().split('\n').length

test('log, progress, checkpoints, artifact and result come home, and the worker forgets it', async () => {
  const setting = await useSetting()
  const { executor, task, run, directory, worker, offered } = setting
  const end = await run((observer) => executor.start(task(), observer)).ended
  expect(end).toMatchObject({ kind: 'completed', result: { seed: seedOfUnit('unit'), from: 0 } })
  expect(readFileSync(join(directory, 'artifacts', 'counted.txt'), 'utf8')).toHaveLength(300_000)
  const log = readFileSync(join(directory, 'output'), 'utf8')
  expect(log.match(/at \d+/g)).toEqual(Array.from({ length: 20 }, (_, n) => `at ${n}`))
  expect(setting.checkpoints.at(-1)).toEqual({ format: 'count/1', state: { n: 19 } })
  expect(begun(setting)).toBe(1)
  const look = (): Promise<Response> =>
    fetch(`${worker.url}/predictions/${offered[0]?.remoteId}`, { headers: { authorization: `Bearer ${worker.key}` } })
  expect((await look()).status).toBe(200)
  executor.acknowledge([task().fence])
  await waitUntil(async () => (await look()).status === 404, { what: 'the worker to forget it' })
})

test('it goes on from a checkpoint, with numbers that grow', async () => {
  const { executor, task, run, checkpoints } = await useSetting()
  const checkpoint = { format: 'count/1', state: { n: 12 } }
  const fence = { unitId: 'unit', attempt: 2, nonce: 'nonce', workerId: 'w' }
  const end = await run((observer) => executor.start(task({ checkpoint, fence }), observer)).ended
  expect(end).toMatchObject({ kind: 'completed', result: { from: 12 } })
  expect(checkpoints.at(-1)).toEqual({ format: 'count/1', state: { n: 19 } })
})

test('the manager leaves in the middle and the next one goes on: one run, a log without a gap', async () => {
  const setting = await useSetting()
  const { executor, another, task, run, offered, directory } = setting
  run((observer) => executor.start(task(), observer))
  await waitUntil(() => setting.checkpoints.length > 1)
  executor.detach()
  const identity = offered[0] ?? null
  const last = setting.checkpoints.at(-1) ?? null
  const { ended } = run((observer) => another().adopt(task({ checkpoint: last }), identity, observer))
  expect(await ended).toMatchObject({ kind: 'completed', result: { from: 0 } })
  expect(begun(setting)).toBe(1)
  const log = readFileSync(join(directory, 'output'), 'utf8')
  expect(log.match(/at \d+/g)).toEqual(Array.from({ length: 20 }, (_, n) => `at ${n}`))
  expect(setting.checkpoints.at(-1)).toEqual({ format: 'count/1', state: { n: 19 } })
})

test('a cancel ends it there', async () => {
  const { executor, task, run, checkpoints, worker } = await useSetting()
  const params = { ...task().params, to: 100_000 }
  const { control, ended } = run((observer) => executor.start(task({ params }), observer))
  await waitUntil(() => checkpoints.length > 1)
  control.stop('cancel')
  expect(await ended).toMatchObject({ kind: 'stopped', reason: 'cancel' })
  const health = await fetch(`${worker.url}/health-check`, { headers: { authorization: `Bearer ${worker.key}` } })
  expect(await health.json()).toMatchObject({ slots: { free: 2 } })
})

test('the worker is killed and started again: it says so, and the checkpoint is kept', async () => {
  // Longer than a start takes on a busy machine.
  const { executor, task, run, checkpoints, worker } = await useSetting(60)
  const params = { ...task().params, to: 100_000 }
  const { ended } = run((observer) => executor.start(task({ params }), observer))
  await waitUntil(() => checkpoints.length > 1)
  await worker.signal('SIGKILL')
  await worker.start()
  expect(await ended).toMatchObject({
    kind: 'returned',
    to: 'gpu',
    why: 'restarted',
    error: { code: 'gpu_unavailable', details: { worker: 'rig', gpu_error: 'WORKER_RESTARTED' } },
  })
  expect(checkpoints.at(-1)).toMatchObject({ format: 'count/1' })
})
