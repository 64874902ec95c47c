import { Reject } from '../../../handler/index.ts'
import type { MonteCarloParams, MonteCarloUnit, PathRange } from './params.ts'

/**
 * @returns the paths of a unit; of a job without units, all
 * @throws Reject when the unit has none of the job's paths
 */
export function rangeOf(params: MonteCarloParams, unit: MonteCarloUnit | undefined): PathRange {
  if (unit === undefined) return { first_path: 0, paths: params.paths }
  const wanted = typeof unit === 'number' ? numbered(params, unit) : unit
  const paths = Math.min(wanted.paths, params.paths - wanted.first_path)
  if (paths < 1)
    throw new Reject(`the unit begins at path ${wanted.first_path}, but the job has ${params.paths} (params.paths)`)
  // A list is meant as it is written; only the last slice of a row may be short.
  if (typeof unit !== 'number' && paths < unit.paths)
    throw new Reject(
      `the unit ends before path ${unit.first_path + unit.paths}, but the job has ${params.paths} (params.paths)`,
    )
  return { first_path: wanted.first_path, paths }
}

function numbered(params: MonteCarloParams, number: number): PathRange {
  if (params.paths_per_unit === undefined)
    throw new Reject(`the unit ${number} is the number of a slice: say params.paths_per_unit, such as 1048576`)
  return { first_path: number * params.paths_per_unit, paths: params.paths_per_unit }
}
