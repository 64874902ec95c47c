// npm test: builds once, runs every vitest project from fast to slow, prints totals.
//   npm test -- --node24        also runs unit and conformance tests on Node 24 (installs it below .tools/)
//   npm test -- <vitest args>   passed on, for example: npm test -- --project unit
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureBuilt } from './ensure-built.mjs'
import { prepareNode24 } from './node24.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const longestRunMs = 40 * 60_000

/** Runs vitest; @returns its exit status and its totals, zero when it died before its report. */
function runVitest(cwd, environment, args) {
  const folder = mkdtempSync(join(tmpdir(), 'nk-report-'))
  const report = join(folder, 'report.json')
  const vitest = join(cwd, 'node_modules', 'vitest', 'vitest.mjs')
  const run = spawnSync(
    'node',
    [vitest, 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...args],
    // A test in an endless loop cannot be stopped from inside; the whole run ends instead of hanging for ever.
    { cwd, env: environment, stdio: 'inherit', timeout: longestRunMs, killSignal: 'SIGKILL' },
  )
  let totals = { passed: 0, failed: 0, other: 0 }
  try {
    const read = JSON.parse(readFileSync(report, 'utf8'))
    const brokenFiles = read.testResults.filter(
      (file) => file.status === 'failed' && file.assertionResults.length === 0,
    )
    totals = {
      passed: read.numPassedTests,
      failed: read.numFailedTests + brokenFiles.length,
      other: read.numPendingTests + read.numTodoTests,
    }
  } catch {
    // No report: the exit status tells.
  }
  rmSync(folder, { recursive: true, force: true })
  return { status: run.status ?? 1, totals }
}

const args = process.argv.slice(2)
const withNode24 = args.includes('--node24')
const passedOn = args.filter((argument) => argument !== '--node24')

const built = ensureBuilt()
if (built !== 0) process.exit(built)

const runs = [{ name: `Node ${process.versions.node}`, ...runVitest(root, process.env, passedOn) }]
if (withNode24) {
  const { checkout, environment, version } = prepareNode24(root)
  runs.push({
    name: `Node ${version} (unit, conformance)`,
    ...runVitest(checkout, environment, ['--project', 'unit', '--project', 'conformance']),
  })
}

let status = 0
const sum = { passed: 0, failed: 0, other: 0 }
for (const run of runs) {
  if (run.status !== 0) status = run.status
  for (const key of Object.keys(sum)) sum[key] += run.totals[key]
  console.log(`${run.name}: ${run.totals.passed} passed, ${run.totals.failed} failed, ${run.totals.other} not run`)
}
// A run that died without a failed test (an error outside tests) must not look like success.
if (status !== 0 && sum.failed === 0) sum.failed = 1
console.log(`${sum.passed} passed, ${sum.failed} failed`)
process.exit(status)
