import { processorName } from '../../../platform/processor-name.ts'
import type { Engine } from './engine.ts'
import { type OptionModel, sumScales } from './option.ts'
import { PathSimulator } from './simulate.ts'

/** Steps that are added before their sum is added to the total: few enough that rounding does not matter. */
const blockSteps = 65_536

/** Computes on this thread, in 64-bit numbers. */
export function cpuEngine(model: OptionModel): Engine {
  const simulator = new PathSimulator(model)
  const scales = sumScales(model)
  const block = Math.max(16, Math.floor(blockSteps / model.fixings))
  return {
    device: { name: processorName(), kind: 'cpu' },
    setupSeconds: 0,
    chunks: { first: block * 4, least: block, most: block * 256 },
    async addPaths(first, count, total) {
      for (let done = 0; done < count; done += block) {
        const paths = Math.min(block, count - done)
        const sums = simulator.simulate(first + done, paths)
        for (let index = 0; index < sums.length; index += 1) sums[index] = (sums[index] ?? 0) * (scales[index] ?? 1)
        total.addValues(paths, sums)
      }
    },
    close() {},
  }
}
