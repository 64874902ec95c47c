import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { Reject, z } from '../../../handler/index.ts'
import { type ComputedOn, type MonteCarloResult, monteCarloParams, monteCarloResult, type PathRange } from './params.ts'
import { addComputed, resultOf } from './result.ts'
import { SumsTotal } from './sums.ts'

const unitLine = z.object({ unit: z.int(), result: z.unknown() })

interface MergedRange extends PathRange {
  readonly unit: number
}

/**
 * The final step: adds the sums of all units that completed.
 * @param resultsFile one line of JSON a unit: {unit, result, …}
 * @throws Reject when no unit completed, when units are of different options, or when two of them hold the same path
 */
export async function mergeUnits(resultsFile: string): Promise<MonteCarloResult> {
  const total = new SumsTotal()
  const ranges: MergedRange[] = []
  let computedOn: readonly ComputedOn[] = []
  let option: MonteCarloResult['option'] | null = null
  let unitsMissing = 0
  for await (const line of createInterface({
    input: createReadStream(resultsFile),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    if (line === '') continue
    const { unit, result } = unitLine.parse(JSON.parse(line))
    if (result === null) {
      unitsMissing += 1
      continue
    }
    const parsed = monteCarloResult.safeParse(result)
    if (!parsed.success)
      throw new Reject(`unit ${unit} has no result of a simulation: ${z.prettifyError(parsed.error)}`)
    option ??= parsed.data.option
    if (JSON.stringify(option) !== JSON.stringify(parsed.data.option))
      throw new Reject(`unit ${unit} is of another option or seed than the units before it; they cannot be merged`)
    total.add(parsed.data.sums)
    for (const range of parsed.data.ranges) ranges.push({ ...range, unit })
    computedOn = parsed.data.computed_on.reduce(addComputed, computedOn)
  }
  if (option === null) throw new Reject('no unit has a result, so there is nothing to merge')
  return resultOf({
    params: monteCarloParams.parse({ ...option, paths: Math.max(2, total.sums.n) }),
    sums: total.sums,
    ranges: joined(ranges),
    computedOn,
    unitsMissing,
  })
}

/** @returns the ranges in order, neighbours as one */
function joined(ranges: readonly MergedRange[]): PathRange[] {
  const sorted = [...ranges].sort((left, right) => left.first_path - right.first_path)
  const all: MergedRange[] = []
  for (const range of sorted) {
    const last = all.at(-1)
    const end = last === undefined ? 0 : last.first_path + last.paths
    if (range.first_path < end)
      throw new Reject(`the units ${last?.unit} and ${range.unit} both hold path ${range.first_path}`)
    if (last !== undefined && range.first_path === end) all[all.length - 1] = { ...range, ...sum(last, range) }
    else all.push(range)
  }
  return all.map(({ first_path, paths }) => ({ first_path, paths }))
}

function sum(first: PathRange, second: PathRange): PathRange {
  return { first_path: first.first_path, paths: first.paths + second.paths }
}
