import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { runHandler } from '../../../src/handler/testing/index.ts'
import { monteCarloCheckpoint } from '../../../src/workers/handlers/montecarlo/checkpoint.ts'
import { type MonteCarloResult, monteCarloResult } from '../../../src/workers/handlers/montecarlo/params.ts'
import monteCarlo from '../../../src/workers/handlers/montecarlo.ts'
import { repositoryRoot } from '../../support/repository.ts'

const source = join(repositoryRoot, 'examples', '10-cuda-montecarlo', 'montecarlo.cu')
const compiler = 'g++'
const hasCompiler = spawnSync(compiler, ['--version']).status === 0
const folder = mkdtempSync(join(tmpdir(), 'nk-twin-'))
const program = join(folder, 'montecarlo')
afterAll(() => rmSync(folder, { recursive: true, force: true }))
if (!hasCompiler) process.stderr.write('the C++ twin of montecarlo is not tested: there is no g++\n')
else execFileSync(compiler, ['-std=c++17', '-O2', '-Wall', '-Wextra', '-Werror', '-x', 'c++', source, '-o', program])

interface Said {
  readonly code: number | null
  readonly stderr: string
  readonly messages: readonly Readonly<Record<string, unknown>>[]
}

function ask(request: object): Said {
  const ended = spawnSync(program, { input: JSON.stringify(request), encoding: 'utf8' })
  const lines = ended.stdout.split('\n').filter((line) => line !== '')
  return { code: ended.status, stderr: ended.stderr, messages: lines.map((line) => JSON.parse(line)) }
}

function resultOf(said: Said): MonteCarloResult {
  expect(said.stderr).toBe('')
  expect(said.code).toBe(0)
  const last = said.messages.at(-1)
  // As strict as the schema is for the handler itself.
  return monteCarloResult.parse(last?.['result'])
}

// The same source as for the GPU, compiled as C++: its kernel differs in who runs which path, not in what a path gives.
describe.skipIf(!hasCompiler)('the CUDA twin of montecarlo, on the processor', () => {
  test.each([
    [{}, undefined],
    [{ fixings: 3, strike: 130, volatility: 0.6, rate: -0.02, seed: 2 ** 40 + 5 }, undefined],
    [{ paths_per_unit: 7_000 }, 2],
    [{}, { first_path: 123, paths: 4_567 }],
  ])('gives what the handler gives, to 1e-9: %j, unit %j', async (given, unit) => {
    const params = { paths: 20_001, ...given }
    const found = resultOf(ask({ params, ...(unit === undefined ? {} : { unit }), resume: null }))
    const { result: wanted } = await runHandler(monteCarlo, { params, unit })
    if (wanted === undefined) throw new Error('no result')
    expect({ ranges: found.ranges, option: found.option }).toEqual({ ranges: wanted.ranges, option: wanted.option })
    expect(found.sums.n).toBe(wanted.sums.n)
    for (const [name, value] of Object.entries(wanted.sums))
      expect(Math.abs(found.sums[name as 'e'] / value - 1), name).toBeLessThan(1e-9)
    for (const name of ['european', 'arithmetic_asian', 'arithmetic_asian_plain', 'geometric_asian'] as const) {
      expect(found[name].price, name).toBeCloseTo(wanted[name].price, 9)
      expect(found[name].standard_error, name).toBeCloseTo(wanted[name].standard_error, 9)
    }
    expect(found.european.exact).toBeCloseTo(wanted.european.exact, 10)
    expect(found.geometric_asian.exact).toBeCloseTo(wanted.geometric_asian.exact, 10)
  })

  test('says its device and how far it is', () => {
    const { messages } = ask({ params: { paths: 30_000, chunk_paths: 10_000 } })
    expect(messages[0]).toEqual({ device: { name: 'processor (C++)', kind: 'cpu' } })
    expect(messages.slice(1, 4).map((message) => message['progress'])).toMatchObject([
      { current: 10_000, total: 30_000, stage: 'simulating' },
      { current: 20_000 },
      { current: 30_000 },
    ])
  })

  test('and handler go on from each other, with the same price', async () => {
    const params = { paths: 40_000 }
    const controller = new AbortController()
    const { checkpoints } = await runHandler(monteCarlo, {
      params: { ...params, chunk_paths: 10_000 },
      signal: controller.signal,
      onProgress: ({ current }) => current > 0 && controller.abort(),
    })
    const resume = checkpoints[0]
    expect(resume?.next_path).toBe(10_000)
    const said = ask({ params, resume })
    const found = resultOf(said)
    const { result: wanted } = await runHandler(monteCarlo, { params })
    expect(found.computed_on.map(({ paths }) => paths)).toEqual([10_000, 30_000])
    expect(found.device).toBe(`${wanted?.device} + processor (C++)`)
    expect(found.arithmetic_asian.price).toBeCloseTo(wanted?.arithmetic_asian.price ?? 0, 9)
  })

  test('saves what the handler takes', () => {
    const { messages } = ask({ params: { paths: 9_000_000, chunk_paths: 65_536 } })
    const saved = messages.flatMap((message) => ('checkpoint' in message ? [message['checkpoint']] : []))
    expect(saved.length).toBeGreaterThan(0)
    for (const one of saved) {
      const { next_path: next, sums } = monteCarloCheckpoint.parse(one)
      expect(sums.n).toBe(next)
    }
  })

  test.each([
    [{ params: { paths: 1 } }, 'params.paths is 1, but must be from 2 to 1000000000000'],
    [
      { params: { paths: 100 }, unit: { first_path: 90, paths: 11 } },
      "the unit ends behind the job's paths (params.paths)",
    ],
    [{ params: { spot: 'x' } }, 'spot must be a number'],
  ])('refuses %j', (request, message) => {
    expect(ask(request)).toEqual({ code: 1, stderr: `${message}\n`, messages: [] })
  })
})
