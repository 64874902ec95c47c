import { runHandler } from '../src/handler/testing/index.ts'
import type { MonteCarloResult } from '../src/workers/handlers/montecarlo/params.ts'
import { findAdapter } from '../src/workers/handlers/montecarlo/webgpu-adapter.ts'
import monteCarlo from '../src/workers/handlers/montecarlo.ts'
import type { Figure } from './figures.ts'

const fixings = 16

async function compute(on: 'cpu' | 'gpu', paths: number): Promise<MonteCarloResult> {
  const { result, outcome, logs } = await runHandler(monteCarlo, { params: { paths, fixings }, compute: on })
  if (result === undefined) throw new Error(`montecarlo on the ${on} ended as ${outcome.kind}`)
  if (on === 'gpu' && logs.length > 0) throw new Error(logs.map(({ message }) => message).join('\n'))
  return result
}

/**
 * The simulation on one thread of the processor and, where WebGPU finds a GPU or a software driver, there: speed, distance from
 * the exact prices and from each other.
 */
export async function measureMonteCarlo(paths: number): Promise<readonly Figure[]> {
  await compute('cpu', 100_000)
  const cpu = await compute('cpu', paths)
  const cpuFigure = { name: 'montecarlo on the processor, 1 thread', value: cpu.paths_per_s }
  const figures: Figure[] = [
    { ...cpuFigure, unit: 'paths/s', goal: null },
    { name: 'montecarlo, European from exact', value: errorsAway(cpu.european), unit: 'SE', goal: atMost(3) },
    {
      name: 'montecarlo, geometric Asian from exact',
      value: errorsAway(cpu.geometric_asian),
      unit: 'SE',
      goal: atMost(3),
    },
  ]
  const found = await findAdapter().catch((error: Error) => error)
  if (found instanceof Error) {
    process.stderr.write(`montecarlo on WebGPU was not measured: ${found.message}\n`)
    return figures
  }
  await compute('gpu', 1_048_576)
  const gpu = await compute('gpu', paths)
  const difference = Math.abs(gpu.european.price - cpu.european.price)
  return [
    ...figures,
    { name: `montecarlo on ${gpu.device}`, value: gpu.paths_per_s, unit: 'paths/s', goal: null, ratioTo: cpuFigure },
    {
      name: 'montecarlo, WebGPU from processor',
      value: difference / cpu.european.price,
      unit: 'relative',
      goal: atMost(1e-5),
    },
    {
      name: 'montecarlo, WebGPU from processor, in standard errors',
      value: difference / cpu.european.standard_error,
      unit: 'SE',
      goal: atMost(0.1),
    },
  ]
}

function atMost(value: number): Figure['goal'] {
  return { at: 'most', value }
}

function errorsAway({ price, exact, standard_error: error }: MonteCarloResult['european']): number {
  return Math.abs(price - exact) / error
}
