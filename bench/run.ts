// npm run bench [-- --quick] [-- --only startup,idle]: one JSON line per figure. Goals are reported, not enforced.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { repositoryRoot } from './bench-home.ts'
import { measureBulkSubmit } from './bulk-submit.ts'
import { measureCallsOverStdio } from './calls-stdio.ts'
import { type Figure, formatFigure } from './figures.ts'
import { measureHandlers } from './handlers.ts'
import { measureHistory } from './history.ts'
import { measureIdle } from './idle.ts'
import { measureMonteCarlo } from './montecarlo.ts'
import { measurePickup } from './pickup.ts'
import { measureUnitPickup } from './pickup-unit.ts'
import { measureRecovery } from './recovery.ts'
import { measureStartup } from './startup.ts'
import { measureConcurrentSubmits } from './submit-concurrent.ts'
import { measureUnits } from './units.ts'

const args = process.argv.slice(2)
const quick = args.includes('--quick')
const only = args[args.indexOf('--only') + 1]?.split(',') ?? []

const parts: Readonly<Record<string, () => Promise<readonly Figure[]>>> = {
  startup: () => measureStartup(quick ? 5 : 25),
  stdio: () => measureCallsOverStdio(quick ? 100 : 1_000),
  concurrent: () => measureConcurrentSubmits(quick ? 2 : 5),
  pickup: () => measurePickup(quick ? 20 : 200),
  'pickup-unit': () => measureUnitPickup(quick ? 100 : 500),
  units: () => measureUnits(quick ? 20_000 : 100_000, quick ? 1 : 3),
  handlers: () => measureHandlers(quick ? 20_000 : 100_000, quick ? 1 : 3),
  montecarlo: () => measureMonteCarlo(quick ? 1_048_576 : 8_388_608),
  bulk: () => measureBulkSubmit(quick ? 3 : 7),
  recovery: () => measureRecovery(quick ? 10_000 : 100_000, quick ? 3 : 7),
  history: () => measureHistory(quick ? 20_000 : 1_000_000),
  idle: () => measureIdle(quick ? 5 : 10),
}

const built = spawnSync(process.execPath, [join(repositoryRoot, 'scripts', 'ensure-built.mjs')], { stdio: 'inherit' })
if (built.status !== 0) process.exit(built.status ?? 1)

let failed = false
for (const [name, measure] of Object.entries(parts)) {
  if (args.includes('--only') && !only.includes(name)) continue
  try {
    for (const figure of await measure()) process.stdout.write(`${formatFigure(figure)}\n`)
  } catch (error) {
    failed = true
    process.stderr.write(`${name} could not be measured: ${error instanceof Error ? error.message : String(error)}\n`)
  }
}
process.exit(failed ? 1 : 0)
