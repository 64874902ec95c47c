import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { healthCheck, type WireGpu } from '../../../src/domain/wire/prediction.ts'
import { askProgram, nvidiaGpus, parseNvidiaSmi } from '../../../src/gpu-worker/devices/nvidia-smi.ts'
import { webgpuAdapter } from '../../../src/gpu-worker/devices/webgpu-adapter.ts'
import { useTemporaryHome } from '../../support/temporary-home.ts'
import { sleepInput, useWorker, writeHandler } from './worker-harness.ts'

const h200 = '0, NVIDIA H200, GPU-1f, 143771, 512, 570.86.15, 3'

describe('what nvidia-smi says', () => {
  test('is a GPU a line', () => {
    expect(parseNvidiaSmi(`${h200}\n`)).toEqual([
      {
        index: 0,
        name: 'NVIDIA H200',
        uuid: 'GPU-1f',
        memory_total_mb: 143_771,
        memory_used_mb: 512,
        driver_version: '570.86.15',
        utilization: 3,
        software: false,
      },
    ])
  })

  test.each([
    ['1, NVIDIA GB10, GPU-2, [N/A], [N/A], 580.1, [N/A]', { memory_total_mb: null, utilization: null }],
    ['0, Tesla K80, [Unknown Error], 11441, -1, , 101', { uuid: null, memory_used_mb: null, utilization: null }],
    ['0, Tesla', { name: 'Tesla', driver_version: null, memory_total_mb: null }],
  ])('may lack anything but index and name: %s', (line, facts) => {
    expect(parseNvidiaSmi(line)).toMatchObject([facts])
  })

  test.each(['', 'No devices were found', 'NVIDIA-SMI has failed, because …', ', , ,', '0', '0, [N/A], x'])(
    'is no GPU: "%s"',
    (line) => expect(parseNvidiaSmi(line)).toEqual([]),
  )

  test('is none when the program is missing, fails or hangs', async () => {
    const { home } = useTemporaryHome()
    const hangs = join(home, 'hangs')
    writeFileSync(hangs, '#!/bin/sh\nsleep 30 & wait\n')
    chmodSync(hangs, 0o700)
    const asked = (program: string) => nvidiaGpus(() => askProgram(program, []))
    const began = performance.now()
    expect(await Promise.all([asked('/nowhere/nvidia-smi'), asked('/bin/false'), asked(hangs)])).toEqual([[], [], []])
    expect(performance.now() - began).toBeLessThan(4_500)
  })
})

describe('the adapter of WebGPU', () => {
  const told = (info: object) => webgpuAdapter(() => Promise.resolve(JSON.stringify(info)))

  test.each([
    [{ vendor: 'mesa', architecture: 'software', device: 'llvmpipe', isFallbackAdapter: true }, true],
    [{ vendor: 'google', architecture: 'swiftshader', isFallbackAdapter: false }, true],
    [{ vendor: 'nvidia', architecture: 'hopper', description: 'NVIDIA H200' }, false],
  ])('is software or hardware: %j', async (info, software) => {
    expect(await told(info)).toMatchObject({ software })
  })

  test('says that it is software in its name', async () => {
    const info = { vendor: 'mesa', architecture: 'software', device: 'llvmpipe', isFallbackAdapter: true }
    expect((await told(info))?.name).toBe('mesa llvmpipe (software)')
  })

  test('is none when it cannot be asked', async () => {
    expect(await webgpuAdapter(() => Promise.reject(new Error('crashed')))).toBeNull()
    expect(await webgpuAdapter(() => Promise.resolve(''))).toBeNull()
    expect(await webgpuAdapter(() => Promise.resolve('{'))).toBeNull()
  })
})

const asking = `
import { defineHandler, z } from 'nightkiln/handler'
export default defineHandler({
  type: 'asking', title: 'Ask', description: 'Tells what it is to compute on.', gpu: 'prefer',
  params: z.object({}), result: z.json(), run: (context) => context.compute,
})
`

const software: WireGpu = {
  index: 0,
  name: 'llvmpipe (software)',
  uuid: null,
  memory_total_mb: null,
  memory_used_mb: null,
  driver_version: null,
  utilization: null,
  software: true,
}
const hardware: WireGpu = { ...software, name: 'NVIDIA H200', software: false }

test.each([
  ['no GPU', [], false, 'cpu'],
  ['a software adapter', [software], false, 'cpu'],
  ['a software adapter that is allowed', [software], true, 'gpu'],
  ['a GPU', [hardware], false, 'gpu'],
] as const)('with %s handlers are told what they compute on, and so are clients', async (_, gpus, allowed, compute) => {
  const { home } = useTemporaryHome()
  mkdirSync(join(home, 'handlers'), { mode: 0o700 })
  writeHandler(home, 'asking', asking)
  const gpuLook = { nvidia: () => Promise.resolve(gpus), webgpu: () => Promise.resolve(null) }
  const { ask, put, untilEnded } = await useWorker({ home, gpuLook, allowSoftwareAdapter: allowed })
  const health = healthCheck.parse((await ask('/health-check')).body)
  expect(health.gpus).toEqual(gpus)
  expect(health.job_types['asking']?.gpu).toBe(compute === 'gpu')
  expect(health.job_types['sleep']?.gpu).toBe(false)
  await put('p1', sleepInput(0, { type: 'asking', params: {} }))
  expect((await untilEnded('p1')).output).toBe(compute)
})
