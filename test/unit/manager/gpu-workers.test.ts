import { describe, expect, test } from 'vitest'
import { statePaths } from '../../../src/config/paths.ts'
import {
  addGpuWorkerRequest,
  type GpuWorkerEntry,
  listGpuWorkersAnswer,
  testGpuAnswer,
} from '../../../src/domain/wire/gpu.ts'
import {
  addGpuWorker,
  gpuWorkers,
  listGpuWorkers,
  nextOf,
  removeGpuWorker,
  testGpu,
} from '../../../src/manager/services/gpu-workers.ts'
import type { ServiceContext } from '../../../src/manager/services/service-context.ts'
import { FakeGpuFleet, gpuWorkerStatus, gpuWorkerTest } from '../../support/fake-gpu-fleet.ts'

function contextWith(fleet: FakeGpuFleet) {
  return { fleet, facts: { home: '/state' } } as unknown as Pick<ServiceContext, 'fleet' | 'facts'>
}

function adding(worker: GpuWorkerEntry, more: object = {}) {
  return addGpuWorkerRequest.parse({ name: 'rig', worker, ...more })
}

const plain: GpuWorkerEntry = { url: 'https://rig.local:7801', key: { file: '/home/ada/rig.key' } }

describe('add_gpu_worker', () => {
  test('keeps the entry as it is and says what is next', async () => {
    const fleet = new FakeGpuFleet()
    const answer = await addGpuWorker(contextWith(fleet), adding(plain))
    expect(answer).toEqual({
      name: 'rig',
      replaced: false,
      notes: [],
      next: 'test_gpu {"name":"rig"} connects to it and says what it has.',
    })
    expect(fleet.entries.get('rig')).toEqual(plain)
  })

  test('replaces a worker only when it is told to', async () => {
    const fleet = new FakeGpuFleet([gpuWorkerStatus()])
    // Known only after a moment: what asks the workers is loaded at its first use.
    fleet.callsUntilLoaded = 2
    const other = { ...plain, url: 'https://other.local:7801' }
    await expect(addGpuWorker(contextWith(fleet), adding(other))).rejects.toMatchObject({
      code: 'invalid_input',
      message: 'there is a GPU worker "rig" already',
      remedy: expect.stringContaining('replace: true'),
    })
    expect(fleet.entries.size).toBe(0)
    expect(await addGpuWorker(contextWith(fleet), adding(other, { replace: true }))).toMatchObject({ replaced: true })
    expect(fleet.entries.get('rig')).toEqual(other)
  })

  test.for<readonly [RegExp, Partial<GpuWorkerEntry>]>([
    [/variable RIG_KEY .* may lack it/, { key: { env: 'RIG_KEY' } }],
    [/shown as "remote \(cpu\)"/, { allow_cpu: true }],
    [/plain Cog server: it computes "upscale"/, { cog_type: 'upscale' }],
  ])('notes %s', async ([note, changes]) => {
    const { notes } = await addGpuWorker(contextWith(new FakeGpuFleet()), adding({ ...plain, ...changes }))
    expect(notes).toEqual([expect.stringMatching(note)])
  })

  test('takes no key in place of a reference', () => {
    for (const key of ['secret', { value: 'secret' }, { file: '/a', env: 'B' }])
      expect(addGpuWorkerRequest.safeParse({ name: 'rig', worker: { url: 'https://a', key } }).success).toBe(false)
  })
})

describe('remove_gpu_worker', () => {
  test('tells of attempts that are still there', async () => {
    const fleet = new FakeGpuFleet([gpuWorkerStatus({ running: 3 })])
    const { next } = await removeGpuWorker(contextWith(fleet), { name: 'rig' })
    expect(next).toContain('3 of its attempts did not end yet')
    expect(fleet.workers).toEqual([])
  })

  test('names one that is not there', async () => {
    await expect(removeGpuWorker(contextWith(new FakeGpuFleet()), { name: 'rig' })).rejects.toMatchObject({
      code: 'invalid_input',
    })
  })
})

describe('list_gpu_workers', () => {
  test('gives every worker and the file that they stand in', async () => {
    const fleet = new FakeGpuFleet([gpuWorkerStatus(), gpuWorkerStatus({ name: 'old', problem: 'no answer' })])
    fleet.callsUntilLoaded = 2
    const answer = await listGpuWorkers(contextWith(fleet))
    expect(listGpuWorkersAnswer.parse(answer)).toEqual(answer)
    expect(answer.workers.map(({ name }) => name)).toEqual(['rig', 'old'])
    expect(answer.file).toBe(statePaths('/state').gpuWorkers)
    expect(answer.next).toContain('queue_status {"test_gpu":true}')
  })

  test('of none is answered at once', async () => {
    expect(await gpuWorkers(new FakeGpuFleet())).toEqual([])
    expect(nextOf([])).toBe('No GPU worker is configured; nightkiln gpu add adds one.')
    expect(nextOf([gpuWorkerStatus()])).toBeNull()
  })
})

describe('test_gpu', () => {
  test('says how many cannot be used; a busy one can', async () => {
    const fleet = new FakeGpuFleet()
    fleet.tests = [gpuWorkerTest(), gpuWorkerTest({ name: 'full', state: 'busy' })]
    const well = await testGpu(contextWith(fleet), {})
    expect(testGpuAnswer.parse(well)).toEqual(well)
    expect(well.next).toContain('run there')
    fleet.tests.push(gpuWorkerTest({ name: 'old', state: 'key_refused' }))
    expect((await testGpu(contextWith(fleet), {})).next).toMatch(/^1 of 3 cannot be used/)
    expect((await testGpu(contextWith(fleet), { name: 'old' })).tests.map(({ name }) => name)).toEqual(['old'])
  })
})
