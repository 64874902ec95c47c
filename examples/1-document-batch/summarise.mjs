// The final step: all results in, one table and a summary out. A re-run of a few documents adds its rows to the table.
// usage: summarise.mjs TABLE
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'

const [table] = process.argv.slice(2)
const units = readFileSync(process.env.NIGHTKILN_RESULTS, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line))
const done = units.filter((unit) => unit.state === 'completed').map((unit) => unit.result)

const before = existsSync(table) ? readFileSync(table, 'utf8').trim().split('\n').slice(1) : []
const rows = done.map(({ contract, date, parties }) => [contract, date, ...parties].map(cell).join(','))
const all = [...before, ...rows].sort()
writeFileSync(`${table}.new`, ['contract,date,first party,second party', ...all, ''].join('\n'))
renameSync(`${table}.new`, table)

const cost = done.reduce((sum, one) => sum + one.cost, 0)
const failed = units.filter((unit) => unit.state === 'failed')
const summary = {
  documents: done.length,
  rows: all.length,
  cost: Number(cost.toFixed(2)),
  failed: failed.map((unit) => unit.input.name),
}
writeFileSync(process.env.NIGHTKILN_RESULT, JSON.stringify(summary))
console.log(`${all.length} rows in ${table}, ${failed.length} failed`)

function cell(text) {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
