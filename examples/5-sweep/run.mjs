import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readLedger } from '../support/ledger.mjs'
import { readCsv } from '../support/read-csv.mjs'
import { until } from '../support/until.mjs'
import { story } from '../support/workplace.mjs'

const train = fileURLToPath(new URL('train.mjs', import.meta.url))
const slots = 4
const sets = [0.001, 0.01, 0.1].flatMap((rate) =>
  [2, 4, 6, 8].flatMap((depth) => [-0.5, 0].map((offset) => ({ rate, depth, offset }))),
)

await story('A sweep over 24 parameter sets', async (place) => {
  const { folder } = place
  const ledger = join(folder, 'ledger')
  const lines = () => readLedger(ledger)
  writeFileSync(join(folder, 'sets.json'), JSON.stringify(sets))
  writeFileSync(join(folder, 'check.json'), JSON.stringify(sets.slice(0, 6)))
  const gate = join(folder, 'gate')
  const letEnd = (trials) => {
    writeFileSync(`${gate}.new`, String(trials))
    renameSync(`${gate}.new`, gate)
  }
  letEnd(0)
  const submit = (name, file, ...options) =>
    place.cli([
      ...['submit', '--name', name, '--units-from', file, '--env', `LEDGER=${ledger}`, ...options],
      ...['--', process.execPath, train, '{{unit.rate}}', '{{unit.depth}}', '{{unit.offset}}'],
    ])

  place.say('24 trials, as many at once as the machine has slots.')
  const { id: sweep } = await submit('sweep', 'sets.json', '--env', `GATE=${gate}`)
  await until('some trials have started', () => lines().length >= slots)
  place.say('A quick check is needed at once: nightkiln submit, then nightkiln update SWEEP --priority low')
  const { id: check } = await submit('check', 'check.json')
  await place.cli(['update', sweep, '--priority', 'low'])
  const lowered = lines().length
  letEnd(slots)
  const checked = await place.ended(check)
  place.say(`The check: ${checked.why}.`)
  const between = lines().slice(lowered)
  const lastOfCheck = between.findLastIndex(([what, job]) => what === 'start' && job === check)
  const overtaking = between.slice(0, lastOfCheck).filter(([what, job]) => what === 'start' && job === sweep)
  place.promise('the check went before the waiting trials', overtaking.length <= slots, overtaking.length)

  place.say('The machine is needed for something else: nightkiln update SWEEP --concurrency 1')
  await place.cli(['update', sweep, '--concurrency', '1'])
  const narrowed = lines().length
  letEnd(3 * slots)
  await until('a few trials have gone one by one', () => lines().length >= narrowed + 8)
  const wide = lines().length
  letEnd(sets.length)
  await place.cli(['update', sweep, '--concurrency', 'none', '--priority', 'normal'])
  place.promise('one at a time, once those that ran had ended', isOneAtATime(lines().slice(0, wide), narrowed), lines())

  const ended = await place.ended(sweep)
  place.say(`The sweep: ${ended.why}.`)
  place.fact('sweep', ended)
  place.fact('check', checked)
  const starts = lines().filter(([what, job]) => what === 'start' && job === sweep)
  place.promise(
    'every set was tried exactly once',
    starts.length === sets.length && new Set(starts.map(([, , index]) => index)).size === sets.length,
  )

  const file = join(folder, 'trials.csv')
  await place.cli(['export', sweep, '--units', '--output', file])
  const trials = readCsv(readFileSync(file, 'utf8')).map((row) => ({ ...row, result: JSON.parse(row.result) }))
  const results = trials.map(({ result }) => result.result ?? result).sort((left, right) => left.loss - right.loss)
  place.say('nightkiln export SWEEP --units --output trials.csv; the best:')
  for (const { loss, rate, depth, offset } of results.slice(0, 3))
    place.line(`    loss ${loss.toFixed(4)}  rate ${rate}  depth ${depth}  offset ${offset}`)
  place.fact('trials', results)
  place.promise('the table has all trials', trials.length === sets.length, trials.length)
  place.promise(
    'the best one is the known optimum',
    results[0].rate === 0.01 && results[0].depth === 6 && results[0].offset === 0,
    results[0],
  )
})

/** @returns true when, from some moment on after `from`, each start follows the end of the one before */
function isOneAtATime(lines, from) {
  let running = 0
  let isAlone = false
  for (const [position, [what]] of lines.entries()) {
    running += what === 'start' ? 1 : -1
    if (position < from) continue
    if (running > 1 && isAlone) return false
    if (running <= 1) isAlone = true
  }
  return isAlone
}
