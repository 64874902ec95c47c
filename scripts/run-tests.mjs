// npm test: builds once, runs every vitest project from fast to slow, prints totals,
// the failed tests and the slowest files; the last line is `N passed, N failed`.
//   npm test -- --node24        also runs unit, conformance and integration tests on Node 24 (installs it below .tools/)
//   npm test -- --only-node24   runs the whole suite on Node 24, and nothing on this Node
//   npm test -- <vitest args>   passed on, for example: npm test -- --project unit
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureBuilt } from './ensure-built.mjs'
import { prepareNode24 } from './node24.mjs'
import { failureLines, slowestLines } from './test-summary.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const longestRunMs = 40 * 60_000

/** Runs vitest; @returns its exit status and its report, an empty one when it died before that. */
function runVitest(cwd, environment, args) {
  const folder = mkdtempSync(join(tmpdir(), 'nk-report-'))
  const file = join(folder, 'report.json')
  const vitest = join(cwd, 'node_modules', 'vitest', 'vitest.mjs')
  const reporter = join(cwd, 'scripts', 'test-report.mjs')
  const run = spawnSync(
    'node',
    [vitest, 'run', '--reporter=default', `--reporter=${reporter}`, `--outputFile=${file}`, ...args],
    // A test in an endless loop cannot be stopped from inside; the whole run ends instead of hanging for ever.
    { cwd, env: environment, stdio: 'inherit', timeout: longestRunMs, killSignal: 'SIGKILL' },
  )
  let report = { passed: 0, failed: 0, other: 0, failures: [], files: [] }
  try {
    report = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    // No report: the exit status tells.
  }
  rmSync(folder, { recursive: true, force: true })
  const status = run.status ?? 1
  // A run that died without a failed test must not look like success.
  if (status !== 0 && report.failed === 0) {
    report.failed = 1
    const how = run.signal === null ? `status ${status}` : `signal ${run.signal}`
    report.failures.push({
      file: '(no file)',
      name: `vitest ended with ${how} and without a failed test`,
      messages: [],
    })
  }
  return { status, report }
}

const args = process.argv.slice(2)
const onlyNode24 = args.includes('--only-node24')
const withNode24 = args.includes('--node24') || onlyNode24
const passedOn = args.filter((argument) => !['--node24', '--only-node24'].includes(argument))
const core = ['unit', 'conformance', 'integration', 'apart']

const built = ensureBuilt()
if (built !== 0) process.exit(built)

const runs = onlyNode24 ? [] : [{ name: `Node ${process.versions.node}`, ...runVitest(root, process.env, passedOn) }]
if (withNode24) {
  const { checkout, environment, version } = prepareNode24(root)
  runs.push({
    name: onlyNode24 ? `Node ${version}` : `Node ${version} (${core.join(', ')})`,
    ...runVitest(checkout, environment, onlyNode24 ? passedOn : core.flatMap((project) => ['--project', project])),
  })
}

let status = 0
const sum = { passed: 0, failed: 0 }
for (const run of runs) {
  if (run.status !== 0) status = run.status
  const { passed, failed, other } = run.report
  sum.passed += passed
  sum.failed += failed
  console.log(`${run.name}: ${passed} passed, ${failed} failed, ${other} not run`)
}
const lines = [
  ...failureLines(runs.flatMap((run) => run.report.failures)),
  ...slowestLines(runs.flatMap((run) => run.report.files)),
  `${sum.passed} passed, ${sum.failed} failed`,
]
console.log(lines.join('\n'))
// Not process.exit(): the lines must leave, through a pipe too.
process.exitCode = status
