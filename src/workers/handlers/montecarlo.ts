import { defineHandler } from '../../handler/index.ts'
import { checkpointFormat, monteCarloCheckpoint } from './montecarlo/checkpoint.ts'
import { monteCarloParams, monteCarloResult, monteCarloUnit } from './montecarlo/params.ts'

/** Prices options by simulation, on the processor or on a GPU, in any number of pieces. */
const monteCarlo = defineHandler({
  type: 'montecarlo',
  title: 'Option prices by simulation',
  description:
    'Prices a European, an arithmetic Asian and a geometric Asian call by Monte Carlo on the same paths (Black-Scholes model), with standard errors; the geometric one has an exact price and is the control variate of the arithmetic one. The number of a path is all that its random numbers depend on, so the same seed gives the same prices however the paths are split: over units ({first_path, paths}, or the numbers of slices of paths_per_unit), machines and interruptions. A final step of the same type merges the units into one result. Computes on a GPU (WebGPU) where one is at hand, else on one thread of the processor, and says which.',
  params: monteCarloParams,
  unit: monteCarloUnit.optional(),
  result: monteCarloResult,
  checkpoint: monteCarloCheckpoint,
  checkpointFormat,
  example: {
    params: { spot: 100, strike: 100, rate: 0.05, volatility: 0.2, paths: 8_388_608, paths_per_unit: 1_048_576 },
    units: [0, 1, 2, 3, 4, 5, 6, 7],
    final_step: { params: {} },
  },
  gpu: 'prefer',
  pure: true,
  // The manager reads this definition too, and has no use for what it takes to run it.
  run: async (context) => (await import('./montecarlo/perform.ts')).performMonteCarlo(context),
})

export default monteCarlo
