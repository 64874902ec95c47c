import type { MonteCarloParams } from './params.ts'

/** What every implementation computes with. Prices are in units of the spot until they are scaled. */
export interface OptionModel {
  readonly fixings: number
  /** Of the logarithm of the price, from one fixing to the next: its mean and its standard deviation. */
  readonly drift: number
  readonly deviation: number
  readonly strikeRatio: number
  /** The spot, discounted from maturity: what a payoff in units of the spot is worth today. */
  readonly scale: number
  /** The seed, as two words of 32 bits. */
  readonly key: readonly [number, number]
}

export function optionModel(params: MonteCarloParams): OptionModel {
  const step = params.maturity_years / params.fixings
  return {
    fixings: params.fixings,
    drift: (params.rate - params.volatility ** 2 / 2) * step,
    deviation: params.volatility * Math.sqrt(step),
    strikeRatio: params.strike / params.spot,
    scale: params.spot * Math.exp(-params.rate * params.maturity_years),
    key: [params.seed >>> 0, Math.floor(params.seed / 2 ** 32) >>> 0],
  }
}

/** What the sums of payoffs in units of the spot are multiplied with, in the order of sumNames. */
export function sumScales({ scale }: OptionModel): readonly number[] {
  const square = scale * scale
  return [scale, square, scale, square, scale, square, square]
}
