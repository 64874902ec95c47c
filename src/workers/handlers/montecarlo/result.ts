import { estimatesFrom } from './estimates.ts'
import type { ComputedOn, MonteCarloParams, MonteCarloResult, PathRange } from './params.ts'
import type { Sums } from './sums.ts'

export interface Computed {
  readonly params: MonteCarloParams
  readonly sums: Sums
  readonly ranges: readonly PathRange[]
  readonly computedOn: readonly ComputedOn[]
  readonly unitsMissing: number
}

export function resultOf({ params, sums, ranges, computedOn, unitsMissing }: Computed): MonteCarloResult {
  const seconds = computedOn.reduce((sum, one) => sum + one.seconds, 0)
  return {
    ...estimatesFrom(sums, params),
    paths: sums.n,
    device: computedOn.map(shownDevice).join(' + '),
    elapsed_s: rounded(seconds),
    paths_per_s: Math.round(sums.n / Math.max(seconds, 1e-9)),
    computed_on: computedOn.map((one) => ({
      ...one,
      seconds: rounded(one.seconds),
      setup_seconds: rounded(one.setup_seconds),
    })),
    units_missing: unitsMissing,
    ranges: [...ranges],
    option: {
      spot: params.spot,
      strike: params.strike,
      rate: params.rate,
      volatility: params.volatility,
      maturity_years: params.maturity_years,
      fixings: params.fixings,
      seed: params.seed,
    },
    sums,
  }
}

/** Of the same device there is one entry. */
export function addComputed(all: readonly ComputedOn[], more: ComputedOn): readonly ComputedOn[] {
  const same = all.find(({ name, kind }) => name === more.name && kind === more.kind)
  if (same === undefined) return [...all, more]
  const sum = {
    ...same,
    paths: same.paths + more.paths,
    seconds: same.seconds + more.seconds,
    setup_seconds: same.setup_seconds + more.setup_seconds,
  }
  return all.map((one) => (one === same ? sum : one))
}

function shownDevice({ name, kind }: ComputedOn): string {
  return kind === 'software' ? `${name} (software)` : name
}

function rounded(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6
}
