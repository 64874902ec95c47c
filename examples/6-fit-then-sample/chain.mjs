// One chain: a Metropolis walk over the slope, from the fit. usage: chain.mjs SEED SLOPE ERROR STEP
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { seededRandom } from '../support/seeded-random.mjs'

const [seed, slope, error, step] = process.argv.slice(2).map(Number)
const fit = JSON.parse(readFileSync(process.env.NIGHTKILN_DEPENDENCIES_FILE, 'utf8')).fit
appendFileSync(process.env.LEDGER, `chain ${process.env.NIGHTKILN_JOB_ID} ${seed} ${slope} ${fit.state}\n`)
const random = seededRandom(seed)
const draws = []
let at = slope
let accepted = 0
for (let draw = 0; draw < 4_000; draw += 1) {
  const proposal = at + (random() * 2 - 1) * error * step
  const ratio = ((at - slope) ** 2 - (proposal - slope) ** 2) / (2 * error ** 2)
  if (Math.log(random()) < ratio) {
    at = proposal
    accepted += 1
  }
  draws.push(at)
}
const mean = draws.reduce((sum, value) => sum + value, 0) / draws.length
const variance = draws.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (draws.length - 1)
writeFileSync(
  process.env.NIGHTKILN_RESULT,
  JSON.stringify({ mean, variance, draws: draws.length, acceptance: accepted / draws.length }),
)
