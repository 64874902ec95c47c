import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readLedger } from '../support/ledger.mjs'
import { seededRandom } from '../support/seeded-random.mjs'
import { story } from '../support/workplace.mjs'

const here = (name) => fileURLToPath(new URL(name, import.meta.url))
const chains = 4

await story('Fit, then sample', async (place) => {
  const { folder } = place
  const ledger = join(folder, 'ledger')
  const random = seededRandom(6)
  const points = Array.from({ length: 60 }, (_, at) => [at / 10, 2 + 3 * (at / 10) + random() - 0.5])
  writeFileSync(join(folder, 'points.json'), JSON.stringify(points))
  writeFileSync(join(folder, 'bad-points.json'), JSON.stringify(points.map(([, value]) => [1, value])))
  // A fit ends when the story has seen what it is to see before, however slow the machine.
  const gate = join(folder, 'gate')
  const environment = ['--env', `LEDGER=${ledger}`, '--env', `GATE=${gate}`]
  const submitFit = (file) =>
    place.cli(['submit', '--name', `fit ${file}`, ...environment, '--', process.execPath, here('fit.mjs'), file])
  const submitChains = (id, step) =>
    place.cli([
      ...['submit', '--name', 'chains', '--depends-on', `${id}:fit`, '--range', `1..${chains}`, ...environment],
      ...['--final-params', JSON.stringify({ argv: [process.execPath, here('judge.mjs')] })],
      ...['--', process.execPath, here('chain.mjs'), '{{unit}}', '{{fit.result.slope}}', '{{fit.result.error}}', step],
    ])
  const finalResult = async (id) => {
    const { units } = await place.cli(['units', id])
    const { result } = await place.cli(['result', id, '--unit', String(units.find((unit) => unit.final_step).unit)])
    return result.result ?? result
  }

  const fit = await submitFit('points.json')
  const sample = await submitChains(fit.id, '2.4')
  const blocked = (await place.cli(['status', sample.id])).jobs[0]
  place.say(`The chains are submitted at once: ${blocked.state}, ${blocked.why}.`)
  place.fact('blocked', blocked)
  place.promise('they wait for the fit', blocked.state === 'blocked' && blocked.depends_on[0].as === 'fit', blocked)
  writeFileSync(gate, '')
  const sampled = await place.ended(sample.id)
  const fitted = await place.cli(['result', fit.id])
  const parameters = fitted.result.result ?? fitted.result
  const judged = await finalResult(sample.id)
  place.say(
    `Fit: slope ${parameters.slope.toFixed(3)}. ${chains} chains: ${judged.slope.toFixed(3)} ± ${judged.error.toFixed(3)}, R-hat ${judged.r_hat.toFixed(3)}.`,
  )
  place.fact('sampled', sampled)
  place.fact('judged', judged)
  const of = (id) => readLedger(ledger).filter(([what, job]) => what === 'chain' && job === id)
  place.promise(
    'four chains ran, after the fit, from its parameters',
    sampled.state === 'completed' &&
      of(sample.id).length === chains &&
      of(sample.id).every(([, , , slope, state]) => Number(slope) === parameters.slope && state === 'completed'),
    of(sample.id),
  )
  place.promise(
    'they agree with the fit',
    Math.abs(judged.slope - parameters.slope) < judged.error && judged.warning === null,
    judged,
  )

  place.say('The same with data that cannot be fitted.')
  rmSync(gate)
  const badFit = await submitFit('bad-points.json')
  const lost = await submitChains(badFit.id, '2.4')
  const report = await place.cli([
    ...['submit', '--name', 'report', '--depends-on', `${badFit.id}:fit:ended`],
    ...['--', 'echo', 'the fit is {{fit.state}}'],
  ])
  writeFileSync(gate, '')
  const [failed, cancelled, reported] = await Promise.all([badFit, lost, report].map(({ id }) => place.ended(id)))
  place.say(`fit: ${failed.why}`)
  place.say(`chains: ${cancelled.why}`)
  place.fact('failed', failed)
  place.fact('cancelled', cancelled)
  place.promise(
    'the chains are cancelled with the reason, and none ran',
    cancelled.state === 'cancelled' && cancelled.why.includes('depends on') && of(lost.id).length === 0,
    cancelled,
  )
  const log = await place.cli(['logs', report.id])
  place.promise(
    'the report ran whatever the end',
    reported.state === 'completed' && log.untrusted_output.includes('the fit is failed'),
    log,
  )

  place.say('The chains once more, with longer steps.')
  const again = await place.cli([
    ...['rerun', sample.id, '--depends-on', `${fit.id}:fit`],
    ...[
      '--params',
      JSON.stringify({
        argv: [process.execPath, here('chain.mjs'), '{{unit}}', '{{fit.result.slope}}', '{{fit.result.error}}', '9'],
      }),
    ],
  ])
  const rerun = await place.ended(again.id)
  const rejudged = await finalResult(again.id)
  place.say(
    `“${rerun.name}”: ${rerun.why}; acceptance ${rejudged.acceptance.toFixed(2)} instead of ${judged.acceptance.toFixed(2)}.`,
  )
  place.fact('rejudged', rejudged)
  place.promise(
    'the re-run took the same fit, which did not run again',
    rerun.state === 'completed' &&
      readLedger(ledger).filter(([what, job]) => what === 'fit' && job === fit.id).length === 1,
  )
  place.promise('longer steps are accepted less often', rejudged.acceptance < judged.acceptance)
})
