// The final step: puts the chains together and says whether they agree (R-hat).
import { readFileSync, writeFileSync } from 'node:fs'

const lines = readFileSync(process.env.NIGHTKILN_RESULTS, 'utf8').trim().split('\n')
const chains = lines.map((line) => JSON.parse(line).result)
const average = (values) => values.reduce((sum, value) => sum + value, 0) / values.length
const mean = average(chains.map((chain) => chain.mean))
const within = average(chains.map((chain) => chain.variance))
const between = chains.reduce((sum, chain) => sum + (chain.mean - mean) ** 2, 0) / (chains.length - 1)
const rHat = Math.sqrt(1 + between / within)
writeFileSync(
  process.env.NIGHTKILN_RESULT,
  JSON.stringify({
    slope: mean,
    error: Math.sqrt(within),
    r_hat: rHat,
    acceptance: average(chains.map((chain) => chain.acceptance)),
    warning: rHat > 1.05 ? `do not trust: R-hat ${rHat.toFixed(2)}` : null,
  }),
)
