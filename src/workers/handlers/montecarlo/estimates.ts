import { exactPrices } from './exact-prices.ts'
import type { MonteCarloParams, MonteCarloResult } from './params.ts'
import type { Sums } from './sums.ts'

type Estimates = Pick<MonteCarloResult, 'european' | 'arithmetic_asian' | 'arithmetic_asian_plain' | 'geometric_asian'>

/** @param sums of one path at least; the standard errors mean something from thousands on */
export function estimatesFrom(sums: Sums, params: MonteCarloParams): Estimates {
  const exact = exactPrices(params)
  const { n } = sums
  const european = estimate(n, sums.e, sums.e2)
  const plain = estimate(n, sums.a, sums.a2)
  const geometric = estimate(n, sums.g, sums.g2)
  const covariance = (sums.ag - (sums.a * sums.g) / n) / Math.max(1, n - 1)
  const slope = geometric.variance > 0 ? covariance / geometric.variance : 0
  const left = Math.max(0, plain.variance - slope * covariance)
  return {
    european: { price: european.mean, standard_error: european.standardError, exact: exact.european },
    arithmetic_asian: {
      price: plain.mean - slope * (geometric.mean - exact.geometricAsian),
      standard_error: Math.sqrt(left / n),
    },
    arithmetic_asian_plain: { price: plain.mean, standard_error: plain.standardError },
    geometric_asian: { price: geometric.mean, standard_error: geometric.standardError, exact: exact.geometricAsian },
  }
}

function estimate(n: number, sum: number, squares: number) {
  const mean = sum / n
  const variance = Math.max(0, (squares - sum * mean) / Math.max(1, n - 1))
  return { mean, variance, standardError: Math.sqrt(variance / n) }
}
