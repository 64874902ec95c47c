// The final step: what was downloaded and what was not, as the result of the job.
import { readFileSync, writeFileSync } from 'node:fs'

const units = readFileSync(process.env.NIGHTKILN_RESULTS, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line))
const manifest = {
  files: units.filter((unit) => unit.state === 'completed').map((unit) => unit.result),
  missing: units.filter((unit) => unit.state !== 'completed').map((unit) => unit.input.url),
}
writeFileSync(process.env.NIGHTKILN_RESULT, JSON.stringify(manifest))
