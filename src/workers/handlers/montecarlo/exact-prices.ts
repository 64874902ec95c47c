import type { MonteCarloParams } from './params.ts'

/**
 * @returns the price of a European call (Black, Scholes 1973), and of a call on the geometric mean of the fixings, whose
 *   logarithm is normal
 */
export function exactPrices(params: MonteCarloParams): { readonly european: number; readonly geometricAsian: number } {
  const { rate, volatility, maturity_years: years, fixings } = params
  const growth = rate - volatility ** 2 / 2
  const meanTime = (years * (fixings + 1)) / (2 * fixings)
  const variance = (volatility ** 2 * years * (fixings + 1) * (2 * fixings + 1)) / (6 * fixings ** 2)
  return {
    european: logNormalCall(params, growth * years, volatility * Math.sqrt(years)),
    geometricAsian: logNormalCall(params, growth * meanTime, Math.sqrt(variance)),
  }
}

/** A call on something whose logarithm is log(spot) + normal(mean, deviation) at maturity. */
function logNormalCall(params: MonteCarloParams, mean: number, deviation: number): number {
  const { spot, strike, rate, maturity_years: years } = params
  const upper = (Math.log(spot / strike) + mean + deviation ** 2) / deviation
  const expected = spot * Math.exp(mean + deviation ** 2 / 2)
  return Math.exp(-rate * years) * (expected * normalCdf(upper) - strike * normalCdf(upper - deviation))
}

/** @returns the share of a standard normal distribution below x, to about 1e-15 */
export function normalCdf(x: number): number {
  if (x < -38) return 0
  if (x > 9) return 1
  const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)
  if (x < -6) return density * millsRatio(-x)
  let sum = x
  let term = x
  for (let power = 3; Math.abs(term) > Math.abs(sum) * 1e-17 && power < 500; power += 2) {
    term *= (x * x) / power
    sum += term
  }
  return 0.5 + density * sum
}

/** The tail above x over the density at x, for x from 6: a continued fraction. */
function millsRatio(x: number): number {
  let fraction = x
  for (let level = 60; level >= 1; level -= 1) fraction = x + level / fraction
  return 1 / fraction
}
