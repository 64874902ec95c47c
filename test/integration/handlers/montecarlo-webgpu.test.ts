import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { type RunOptions, runHandler } from '../../../src/handler/testing/index.ts'
import { optionModel } from '../../../src/workers/handlers/montecarlo/option.ts'
import { type MonteCarloResult, monteCarloParams } from '../../../src/workers/handlers/montecarlo/params.ts'
import { PathSimulator } from '../../../src/workers/handlers/montecarlo/simulate.ts'
import { SumsTotal } from '../../../src/workers/handlers/montecarlo/sums.ts'
import { findAdapter } from '../../../src/workers/handlers/montecarlo/webgpu-adapter.ts'
import { openWebGpu } from '../../../src/workers/handlers/montecarlo/webgpu-engine.ts'
import monteCarlo from '../../../src/workers/handlers/montecarlo.ts'
import { repositoryRoot } from '../../support/repository.ts'

type Given = RunOptions<
  typeof monteCarlo.params,
  NonNullable<typeof monteCarlo.unit>,
  NonNullable<typeof monteCarlo.checkpoint>
>

const run = (compute: 'cpu' | 'gpu', params: Given['params'], rest: Omit<Given, 'params'> = {}) =>
  runHandler(monteCarlo, { ...rest, compute, params })

/** What is missing; null: a driver is there, of a GPU or a software one. */
const missing = await findAdapter().then(
  () => null,
  (error: Error) => error.message,
)
if (missing !== null)
  process.stderr.write(
    `montecarlo on WebGPU is not tested: ${missing}. eval "$(scripts/software-vulkan.sh)" gets a software driver.\n`,
  )

describe.skipIf(missing !== null)('montecarlo on WebGPU', () => {
  test.each([
    [{}],
    [{ fixings: 1 }],
    [{ fixings: 3, strike: 130, volatility: 0.6, rate: -0.02, seed: 2 ** 40 + 5 }],
    [{ fixings: 250, spot: 9, strike: 8, maturity_years: 2 }],
    [{ volatility: 0.01, rate: 0 }],
    [{ volatility: 2.5, fixings: 8 }],
  ])('gives the prices of the processor, of the same paths: %j', async (params) => {
    // Neither a whole number of workgroups nor of threads.
    const given = { paths: 40_321, ...params }
    const [gpu, cpu] = [await run('gpu', given), await run('cpu', given)]
    expect(gpu.logs).toEqual([])
    expect(gpu.result?.sums.n).toBe(40_321)
    for (const name of ['european', 'arithmetic_asian', 'arithmetic_asian_plain', 'geometric_asian'] as const) {
      const [found, wanted] = [gpu.result?.[name], cpu.result?.[name]]
      if (found === undefined || wanted === undefined) throw new Error('no result')
      const difference = Math.abs(found.price - wanted.price)
      // IEEE 754 additions and multiplications are all it uses, so every driver is held to this.
      expect(difference / wanted.price, name).toBeLessThanOrEqual(1e-5)
      if (wanted.standard_error > 1e-6 * wanted.price)
        expect(difference, name).toBeLessThanOrEqual(0.1 * wanted.standard_error)
    }
  })

  test('says what computed, and never calls software a GPU', async () => {
    const { devices, result } = await run('gpu', { paths: 10_000 })
    const { device } = await findAdapter()
    expect(devices).toEqual([device])
    expect(result?.device).toBe(device.kind === 'software' ? `${device.name} (software)` : device.name)
    expect(result?.computed_on).toMatchObject([{ ...device, paths: 10_000 }])
    if (/llvmpipe|swiftshader/i.test(device.name)) expect(device.kind).toBe('software')
  })

  test('gives the same sums in any split, also beyond path 2^32', async () => {
    const model = optionModel(monteCarloParams.parse({}))
    const { engine } = await openWebGpu(model)
    if (engine === null) throw new Error('no engine')
    try {
      const first = 2 ** 32 - 5_000
      const [whole, parts] = [new SumsTotal(), new SumsTotal()]
      await engine.addPaths(first, 10_240, whole)
      for (let done = 0; done < 10_240; done += 1_024) await engine.addPaths(first + done, 1_024, parts)
      const expected = new PathSimulator(model).simulate(first, 10_240)
      expect(parts.sums.e / whole.sums.e).toBeCloseTo(1, 9)
      expect(parts.sums.ag / whole.sums.ag).toBeCloseTo(1, 9)
      expect(whole.sums.e / ((expected[0] ?? 0) * model.scale)).toBeCloseTo(1, 5)
    } finally {
      engine.close()
    }
  })

  test('goes on from the checkpoint of a processor and back, with the same price', async () => {
    const paths = 300_000
    const whole = await run('cpu', { paths })
    const first = await cancelledAt('cpu', 100_000, paths, null)
    const second = await cancelledAt('gpu', 200_000, paths, first)
    const last = await run('cpu', { paths }, { lastCheckpoint: second })
    const [found, wanted] = [last.result as MonteCarloResult, whole.result as MonteCarloResult]
    expect(found.sums.n).toBe(paths)
    expect(found.computed_on.map(({ kind }) => kind === 'cpu')).toEqual([true, false])
    expect(found.computed_on.reduce((sum, one) => sum + one.paths, 0)).toBe(paths)
    for (const name of ['european', 'arithmetic_asian', 'geometric_asian'] as const)
      expect(Math.abs(found[name].price / wanted[name].price - 1), name).toBeLessThanOrEqual(1e-5)
  })

  test('ends within a chunk of a cancel', async () => {
    const controller = new AbortController()
    const { outcome, progress } = await run(
      'gpu',
      { paths: 400_000, chunk_paths: 10_240 },
      { signal: controller.signal, onProgress: ({ current }) => current > 0 && controller.abort() },
    )
    expect(outcome).toEqual({ kind: 'cancelled' })
    expect(progress.map(({ current }) => current)).toEqual([0, 10_240])
  })

  test('works in a thread, twice, and lets the thread end', async () => {
    const worker = new Worker(
      `const { parentPort } = require('node:worker_threads')
      const load = (path) => import(new URL(path, 'file://${repositoryRoot}/dist/').href)
      ;(async () => {
        const { runHandler } = await load('handler/testing/index.js')
        const { default: monteCarlo } = await load('workers/handlers/montecarlo.js')
        for (let turn = 0; turn < 2; turn += 1) {
          const { result } = await runHandler(monteCarlo, { params: { paths: 20_000 }, compute: 'gpu' })
          parentPort.postMessage({ price: result.european.price, kind: result.computed_on[0].kind })
        }
      })()`,
      { eval: true },
    )
    const messages: { price: number; kind: string }[] = []
    worker.on('message', (message) => messages.push(message))
    const code = await new Promise((resolve, reject) => worker.on('exit', resolve).on('error', reject))
    expect(code).toBe(0)
    expect(messages).toHaveLength(2)
    const { result } = await run('gpu', { paths: 20_000 })
    for (const message of messages)
      expect(message).toEqual({ price: result?.european.price, kind: result?.computed_on[0]?.kind })
  })
})

async function cancelledAt(
  compute: 'cpu' | 'gpu',
  current: number,
  paths: number,
  from: Given['lastCheckpoint'] | null,
) {
  const controller = new AbortController()
  const { checkpoints } = await run(
    compute,
    { paths, chunk_paths: 20_480 },
    {
      lastCheckpoint: from ?? null,
      signal: controller.signal,
      onProgress: (progress) => {
        if (progress.current >= current) controller.abort()
      },
    },
  )
  return checkpoints.at(-1) ?? null
}
