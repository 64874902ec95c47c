import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type RunOptions, runHandler } from '../../../src/handler/testing/index.ts'
import { cpuEngine } from '../../../src/workers/handlers/montecarlo/cpu-engine.ts'
import type { Engine } from '../../../src/workers/handlers/montecarlo/engine.ts'
import type { OptionModel } from '../../../src/workers/handlers/montecarlo/option.ts'
import type { MonteCarloResult } from '../../../src/workers/handlers/montecarlo/params.ts'
import { performMonteCarlo } from '../../../src/workers/handlers/montecarlo/perform.ts'
import type { OpenedWebGpu } from '../../../src/workers/handlers/montecarlo/webgpu-engine.ts'
import monteCarlo from '../../../src/workers/handlers/montecarlo.ts'

type Given = RunOptions<
  typeof monteCarlo.params,
  NonNullable<typeof monteCarlo.unit>,
  NonNullable<typeof monteCarlo.checkpoint>
>

const run = (params: Given['params'], rest: Omit<Given, 'params'> = {}) => runHandler(monteCarlo, { ...rest, params })

const paths = 60_000
const whole = run({ paths })

describe('montecarlo on the processor', () => {
  test('gives prices near the exact ones, and says what computed them', async () => {
    const { result, outcome, devices, progress, logs } = await whole
    expect(outcome).toEqual({ kind: 'completed' })
    expect(devices).toEqual([{ name: result?.device, kind: 'cpu' }])
    expect(logs).toEqual([])
    expect(progress[0]).toMatchObject({ current: 0, total: paths, stage: 'simulating' })
    expect(progress.at(-1)).toMatchObject({ current: paths, total: paths, message: /million paths a second/ })
    const { european, geometric_asian: geometric, arithmetic_asian: arithmetic } = result as MonteCarloResult
    expect(Math.abs(european.exact / 10.450583572185565 - 1)).toBeLessThan(1e-14)
    expect(Math.abs(geometric.exact / 5.841672354667301 - 1)).toBeLessThan(1e-14)
    expect(Math.abs(european.price - european.exact)).toBeLessThan(3 * european.standard_error)
    expect(Math.abs(geometric.price - geometric.exact)).toBeLessThan(3 * geometric.standard_error)
    // Of 8,388,608 paths: 6.05780 ± 0.00008.
    expect(Math.abs(arithmetic.price - 6.0578)).toBeLessThan(4 * arithmetic.standard_error)
    expect(result).toMatchObject({ paths, units_missing: 0, ranges: [{ first_path: 0, paths }] })
    expect(result?.computed_on).toMatchObject([{ kind: 'cpu', paths }])
    expect(result?.elapsed_s).toBeGreaterThan(0)
  })

  test('gives the sums of the same paths, whatever the chunks', async () => {
    const { result } = await run({ paths, chunk_paths: 1_024 })
    expectSameSums(result, (await whole).result, 1e-12)
  })

  test('goes on from a checkpoint with the same prices', async () => {
    const interrupted = await cancelledAt(30_000, { paths, chunk_paths: 10_000 })
    const saved = interrupted.checkpoints.at(-1)
    expect(interrupted.outcome).toEqual({ kind: 'cancelled' })
    expect(saved?.next_path).toBe(30_000)
    const { result, progress } = await run({ paths }, { attempt: 2, lastCheckpoint: saved ?? null })
    expect(progress[0]?.current).toBe(saved?.next_path)
    expectSameSums(result, (await whole).result, 1e-12)
    expect(result?.computed_on).toMatchObject([{ kind: 'cpu', paths }])
  })

  test('saves about once a second, and not more often', async () => {
    const controller = new AbortController()
    const savedAt: number[] = [performance.now()]
    await run(
      { paths: 12_000_000 },
      {
        signal: controller.signal,
        onCheckpoint: () => {
          savedAt.push(performance.now())
          if (savedAt.length === 3) controller.abort()
        },
      },
    )
    for (const [index, time] of savedAt.slice(1, 3).entries())
      expect(time - (savedAt[index] ?? 0)).toBeGreaterThanOrEqual(990)
  })

  test('ends within a chunk of a cancel', async () => {
    const { outcome, progress } = await cancelledAt(1, { paths: 400_000, chunk_paths: 4_096 })
    expect(outcome).toEqual({ kind: 'cancelled' })
    expect(progress.map(({ current }) => current)).toEqual([0, 4_096])
  })

  test('computes nothing when it is cancelled before', async () => {
    const { outcome, progress } = await run({ paths: 400_000 }, { signal: AbortSignal.abort() })
    expect(outcome).toEqual({ kind: 'cancelled' })
    expect(progress.map(({ current }) => current)).toEqual([0])
  })

  test.each([
    [{ next_path: 20_000, n: 19_999 }, 'it holds 19999 paths where 20000 were to be done'],
    [{ next_path: 70_000, n: 70_000 }, 'it is at path 70000, outside 0 to 60000'],
  ])('starts anew and says so with a checkpoint of other paths, %j', async ({ next_path, n }, words) => {
    const sums = { n, e: 1, e2: 1, a: 1, a2: 1, g: 1, g2: 1, ag: 1 }
    const { result, logs } = await run({ paths }, { lastCheckpoint: { next_path, sums, computed_on: [] } })
    expect(logs).toMatchObject([
      { level: 'warn', message: `starts from the first path: the checkpoint does not fit, ${words}` },
    ])
    expectSameSums(result, (await whole).result, 1e-12)
  })
})

describe('units of montecarlo', () => {
  test('are merged by the final step into what one job gives', async () => {
    const units = [{ first_path: 0, paths: 1 }, { first_path: 1, paths: 19_999 }, 1, 2]
    const results = await Promise.all(units.map((unit) => run({ paths, paths_per_unit: 20_000 }, { unit })))
    expect(results.map(({ outcome }) => outcome.kind)).toEqual(new Array(4).fill('completed'))
    const { result } = await merge([3, 0, 2, 1].map((unit) => ({ unit, result: results[unit]?.result ?? null })))
    expectSameSums(result, (await whole).result, 1e-12)
    expect(result).toMatchObject({ paths, units_missing: 0, ranges: [{ first_path: 0, paths }] })
    expect(result?.computed_on).toMatchObject([{ kind: 'cpu', paths }])
    expect(result?.arithmetic_asian.price).toBeCloseTo((await whole).result?.arithmetic_asian.price ?? 0, 10)
  })

  test('that failed are counted, and their paths left out', async () => {
    const first = await run({ paths, paths_per_unit: 20_000 }, { unit: 0 })
    const third = await run({ paths, paths_per_unit: 20_000 }, { unit: 2 })
    const { result } = await merge([
      { unit: 0, result: first.result },
      { unit: 1, result: null },
      { unit: 2, result: third.result },
    ])
    expect(result).toMatchObject({
      paths: 40_000,
      units_missing: 1,
      ranges: [
        { first_path: 0, paths: 20_000 },
        { first_path: 40_000, paths: 20_000 },
      ],
    })
  })

  test('have what is left, as the last slice of a row', async () => {
    const { result } = await run({ paths: 50_000, paths_per_unit: 20_000 }, { unit: 2 })
    expect(result?.ranges).toEqual([{ first_path: 40_000, paths: 10_000 }])
  })

  test.each([
    [{ paths: 100 }, 3, 'the unit 3 is the number of a slice: say params.paths_per_unit, such as 1048576'],
    [{ paths: 100, paths_per_unit: 50 }, 2, 'the unit begins at path 100, but the job has 100 (params.paths)'],
    [
      { paths: 100 },
      { first_path: 90, paths: 11 },
      'the unit ends before path 101, but the job has 100 (params.paths)',
    ],
  ])('of %j that are no paths of the job, %j, are rejected', async (params, unit, message) => {
    expect((await run(params, { unit })).outcome).toEqual({ kind: 'rejected', message })
  })

  test.each([
    ['hold the same path', { paths: 2_000 }, { first_path: 999, paths: 10 }, 'the units 0 and 1 both hold path 999'],
    [
      'are of another seed',
      { paths: 2_000, seed: 1 },
      { first_path: 1_000, paths: 10 },
      'unit 1 is of another option or seed than the units before it; they cannot be merged',
    ],
  ])('that %s are not merged', async (_, params, unit, message) => {
    const first = await run({ paths: 2_000 }, { unit: { first_path: 0, paths: 1_000 } })
    const second = await run(params, { unit })
    const { outcome } = await merge([
      { unit: 0, result: first.result },
      { unit: 1, result: second.result },
    ])
    expect(outcome).toEqual({ kind: 'rejected', message })
  })

  test('that gave nothing cannot be merged', async () => {
    const { outcome } = await merge([{ unit: 0, result: null }])
    expect(outcome).toEqual({ kind: 'rejected', message: 'no unit has a result, so there is nothing to merge' })
    const other = await merge([{ unit: 7, result: { text: 'x' } }])
    expect(other.outcome).toMatchObject({
      kind: 'rejected',
      message: expect.stringContaining('unit 7 has no result of a simulation'),
    })
  })
})

test.skipIf(process.platform !== 'linux')('without a driver it computes on the processor, and says why', async () => {
  // Where this test runs a driver may be at hand; one that is not there cannot be found.
  const { result, devices, logs } = await inEnvironmentWithoutDriver(() => run({ paths }, { compute: 'gpu' }))
  expect(devices.map(({ kind }) => kind)).toEqual(['cpu'])
  expect(logs).toMatchObject([
    { level: 'warn', message: expect.stringMatching(/^computes on the processor instead of a GPU: /) },
  ])
  expectSameSums(result, (await whole).result, 1e-12)
})

test('a GPU that fails in the middle is left, and the processor computes the rest', async () => {
  let calls = 0
  let closed = 0
  const failing = async (model: OptionModel): Promise<OpenedWebGpu> => {
    const real = cpuEngine(model)
    const engine: Engine = {
      ...real,
      device: { name: 'GPU 1', kind: 'gpu' },
      addPaths: async (first, count, total) => {
        calls += 1
        if (calls === 3) throw new Error('the GPU is lost: reset')
        await real.addPaths(first, count, total)
      },
      close: () => {
        closed += 1
      },
    }
    return { engine, problem: null }
  }
  const handler = { ...monteCarlo, run: (context: never) => performMonteCarlo(context, failing) }
  const { result, devices, logs } = await runHandler(handler, {
    params: { paths, chunk_paths: 10_000 },
    compute: 'gpu',
  })
  expectSameSums(result, (await whole).result, 1e-12)
  expect(devices.map(({ kind }) => kind)).toEqual(['gpu', 'cpu'])
  expect(result?.computed_on.map(({ kind, paths: count }) => [kind, count])).toEqual([
    ['gpu', 20_000],
    ['cpu', 40_000],
  ])
  expect(logs).toMatchObject([
    {
      level: 'warn',
      message: 'goes on at path 20000 on the processor: GPU 1 failed: the GPU is lost: reset',
    },
  ])
  expect(closed).toBe(1)
})

async function inEnvironmentWithoutDriver<Value>(call: () => Promise<Value>): Promise<Value> {
  const before = process.env['VK_DRIVER_FILES']
  process.env['VK_DRIVER_FILES'] = '/nowhere/icd.json'
  onTestFinished(() => {
    if (before === undefined) delete process.env['VK_DRIVER_FILES']
    else process.env['VK_DRIVER_FILES'] = before
  })
  return await call()
}

function cancelledAt(current: number, params: Given['params']) {
  const controller = new AbortController()
  return run(params, {
    signal: controller.signal,
    onProgress: (progress) => {
      if (progress.current >= current) controller.abort()
    },
  })
}

async function merge(lines: readonly { readonly unit: number; readonly result: unknown }[]) {
  const folder = mkdtempSync(join(tmpdir(), 'nk-monte-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'results.jsonl')
  writeFileSync(file, lines.map((line) => `${JSON.stringify({ ...line, state: 'completed' })}\n`).join(''))
  return await run({}, { resultsFile: file })
}

function expectSameSums(
  found: MonteCarloResult | undefined,
  expected: MonteCarloResult | undefined,
  relative: number,
): void {
  expect(found?.sums.n).toBe(expected?.sums.n)
  for (const [name, value] of Object.entries(expected?.sums ?? {}))
    expect(Math.abs((found?.sums[name as 'e'] ?? 0) / value - 1), name).toBeLessThanOrEqual(relative)
}
