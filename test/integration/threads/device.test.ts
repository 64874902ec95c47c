import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { HandlerJob } from '../../../src/domain/ports/thread-executor.ts'
import { repositoryRoot } from '../../support/repository.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { type Harness, isGone, type Manager, makeJob, runningIn, type Started, useThreads } from './threads-harness.ts'

const api = join(repositoryRoot, 'dist', 'handler', 'index.js')
const hostEntry = join(repositoryRoot, 'dist', 'workers', 'thread-host', 'host-main.js')
const h200 = { name: 'NVIDIA H200', kind: 'gpu' } as const
const software = { name: 'llvmpipe', kind: 'software' } as const

/** A handler that reports what its unit says. */
const code = `
import { setTimeout as sleep } from 'node:timers/promises'
import { defineHandler, z } from '${api}'
export default defineHandler({
  type: 'device', title: 'Device', description: 'Reports devices.', params: z.object({}), result: z.any(),
  async run({ unit, compute, reportDevice, cancellation, progress }) {
    for (const { name, kind } of unit.devices ?? []) {
      reportDevice(name, kind)
      if (unit.slow) await sleep(30)
    }
    progress(1)
    if (unit.wait) await cancellation.wait(60_000)
    if (unit.ms) await sleep(unit.ms)
    return compute
  },
})
`

interface DeviceHarness extends Harness {
  readonly job: Partial<HandlerJob>
  open(): Promise<Manager>
}

function useDevices(): DeviceHarness {
  const harness = useThreads()
  const file = join(harness.home, 'device.mjs')
  writeFileSync(file, code)
  const { handler } = makeJob(harness.home)
  const open = async () => await harness.manager({ hostEntry })
  return { ...harness, open, job: { handler: { ...handler, type: 'device', file, reusable: false } } }
}

async function opened(harness: DeviceHarness): Promise<Manager> {
  const manager = await harness.open()
  manager.executor.adopted()
  return manager
}

test('a handler is told what to compute on', async () => {
  const harness = useDevices()
  const manager = await opened(harness)
  const plain = manager.start({}, {}, harness.job)
  const onGpu = manager.start({}, { compute: 'gpu' }, harness.job)
  expect(await plain.end()).toMatchObject({ kind: 'completed', result: 'cpu' })
  expect(await onGpu.end()).toMatchObject({ kind: 'completed', result: 'gpu' })
  expect([plain.devices, onGpu.devices]).toEqual([[], []])
})

test('only a GPU is worth a word in what is handed over', async () => {
  const harness = useThreads()
  const manager = await harness.manager()
  manager.executor.adopted()
  const [plain, onGpu] = [manager.start({}), manager.start({}, { compute: 'gpu' })]
  const host = await runningIn(harness, plain, onGpu)
  const items = harness.heard(host, 'run').flatMap((run) => run['items'] as { key: string; compute?: string }[])
  const told = (key: string) => Object.keys(items.find((item) => item.key === key) ?? {}).includes('compute')
  expect([told(plain.key), told(onGpu.key)]).toEqual([false, true])
})

test('what it computes on is told once, again when it changes, and before its end', async () => {
  const harness = useDevices()
  const manager = await opened(harness)
  const attempt = manager.start({ devices: [software, software, h200, h200], slow: true }, {}, harness.job)
  expect(await attempt.end()).toMatchObject({ kind: 'completed' })
  expect(attempt.devices).toEqual([software, h200])
  const quick = manager.start({ devices: [h200] }, {}, harness.job)
  await quick.end()
  expect(quick.devices).toEqual([h200])
})

test('a long name is cut and made one line', async () => {
  const harness = useDevices()
  const manager = await opened(harness)
  const name = ` NVIDIA\u0000\n\t${'x'.repeat(191)}\u{1f525}${'y'.repeat(50)}`
  const attempt = manager.start({ devices: [{ name, kind: 'gpu' }] }, {}, harness.job)
  expect(await attempt.end()).toMatchObject({ kind: 'completed' })
  expect(attempt.devices).toEqual([{ name: `NVIDIA ${'x'.repeat(191)}\u{1f525}`, kind: 'gpu' }])
})

test.each([
  [{ name: '', kind: 'gpu' }, 'reportDevice: the name is empty'],
  [{ kind: 'gpu' }, 'reportDevice: the name is undefined, but must be a text such as'],
  [{ name: 'H200', kind: 'GPU' }, 'reportDevice: the kind is "GPU"; valid: "gpu" (hardware only), "software", "cpu"'],
])('what is no device fails in the handler: %j', async (device, sentence) => {
  const harness = useDevices()
  const manager = await opened(harness)
  const attempt = manager.start({ devices: [device] }, {}, harness.job)
  const end = await attempt.end()
  expect(end).toMatchObject({ kind: 'failed', error: { message: expect.stringContaining(sentence) } })
  expect(attempt.devices).toEqual([])
})

test.each(['at once', 'late'])('the next manager, which adopts %s, is told again', async (when) => {
  const harness = useDevices()
  const first = await opened(harness)
  const units = [
    { devices: [h200], wait: true },
    { devices: [software], ms: 700 },
  ]
  const attempts = first.startAll(units, harness.job)
  await waitUntil(() => attempts.every(({ devices, progress }) => devices.length + progress.length === 2))
  first.executor.detach()

  const second = await harness.open()
  // Its answer comes after all that it tells a manager by itself.
  if (when === 'late') await waitUntil(() => second.executor.status()[0]?.rssBytes ?? null)
  const [running, ended] = attempts.map(({ fence }) => second.adopt(fence)) as [Started, Started]
  second.executor.adopted()
  await waitUntil(() => running.devices.length > 0, { what: 'the device of what still runs' })
  expect(await ended.end()).toMatchObject({ kind: 'completed' })
  expect([running.devices, ended.devices]).toEqual([[h200], [software]])
})

test('what a dead host wrote down says what it computed on', async () => {
  const harness = useDevices()
  const manager = await opened(harness)
  const later = manager.start({ devices: [software], ms: 700 }, {}, harness.job)
  await waitUntil(() => later.devices.length > 0)
  manager.executor.detach()
  const host = harness.hosts()[0] ?? ''
  const journal = () => readFileSync(join(harness.paths.hosts, host, 'ends.jsonl'), 'utf8')
  await waitUntil(() => journal().includes(later.key), { what: 'the end in the journal' })
  const { pid } = harness.record(host)
  process.kill(pid, 'SIGKILL')
  await waitUntil(() => isGone(pid))
  const next = await harness.open()
  const written = next.adopt(later.fence)
  next.executor.adopted()
  expect(await written.end()).toMatchObject({ kind: 'completed' })
  expect(written.devices).toEqual([software])
})
