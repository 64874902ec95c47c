import { z } from '../../../handler/index.ts'
import { computedOn, type PathRange } from './params.ts'
import { sumsSchema } from './sums.ts'

/** Of all implementations: what one saved, any other goes on from. */
export const checkpointFormat = 'montecarlo-sums/1'

export const monteCarloCheckpoint = z.strictObject({
  /** Number of the first path that is not in the sums. */
  next_path: z.int().min(0),
  sums: sumsSchema,
  computed_on: z.array(computedOn).max(100),
})
export type MonteCarloCheckpoint = z.output<typeof monteCarloCheckpoint>

/** @returns what is wrong with a checkpoint of these paths; null: nothing */
export function checkpointProblem(checkpoint: MonteCarloCheckpoint, range: PathRange): string | null {
  const { next_path: next, sums } = checkpoint
  if (next < range.first_path || next > range.first_path + range.paths)
    return `it is at path ${next}, outside ${range.first_path} to ${range.first_path + range.paths}`
  if (sums.n !== next - range.first_path)
    return `it holds ${sums.n} paths where ${next - range.first_path} were to be done`
  return null
}
