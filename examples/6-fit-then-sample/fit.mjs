// Fits a line to points by least squares. usage: fit.mjs POINTS.json, with LEDGER and GATE: a file that it waits for
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

const [file] = process.argv.slice(2)
appendFileSync(process.env.LEDGER, `fit ${process.env.NIGHTKILN_JOB_ID}\n`)
for (let start = 1; start <= 5; start += 1) {
  await delay(20)
  console.log(`progress: ${start}/5 starts`)
}
while (!existsSync(process.env.GATE)) await delay(20)
const points = JSON.parse(readFileSync(file, 'utf8'))
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length
const [x, y] = [mean(points.map(([at]) => at)), mean(points.map(([, value]) => value))]
const spread = points.reduce((sum, [at]) => sum + (at - x) ** 2, 0)
if (spread === 0) {
  console.error('the points lie on one vertical line: there is no slope')
  process.exit(3)
}
const slope = points.reduce((sum, [at, value]) => sum + (at - x) * (value - y), 0) / spread
const intercept = y - slope * x
const sigma = Math.sqrt(mean(points.map(([at, value]) => (value - intercept - slope * at) ** 2)))
writeFileSync(
  process.env.NIGHTKILN_RESULT,
  JSON.stringify({ slope, intercept, sigma, error: sigma / Math.sqrt(spread) }),
)
