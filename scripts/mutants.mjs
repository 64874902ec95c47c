// npm run mutants            plants every bug of test/mutants/, one at a time, and demands that its tests go red
// npm run mutants -- WORD    only those with WORD in the name; several words: any of them
//
// A mutant is test/mutants/<suite>-<what>.patch:
//
//   One or more lines that say in a sentence what is planted.
//   Tests: test/some/file.test.ts test/another.test.ts     (arguments of `vitest run`, in one line)
//   or
//   Conformance: tasks-lifecycle                           (arguments of `npm run conformance`)
//
//   --- a/src/…        a unified diff against the repository root, as `git apply -p1` takes it
//   +++ b/src/…
//
// The working tree is never touched: each mutant lives in a copy. Every set of tests is first run unchanged and must be
// green, since a test that is red anyway proves nothing. A patch that no longer applies fails the run.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const folder = join(root, 'test', 'mutants')
/** Everything that tests read, node_modules aside; what is missing is left out. */
const copied = [
  'src',
  'test',
  'scripts',
  'bench',
  'examples',
  'docs',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'tsconfig.handler.json',
  'tsconfig.app.json',
  'vitest.config.ts',
  'biome.json',
  'mcp.json.example',
  'packaging',
  'server.json',
  'README.md',
  'LICENSE',
]
/** A planted endless loop counts as caught. */
const longestRunMs = 8 * 60_000
/** The same histories every time, and no time spent on making a counterexample small. */
const environment = { ...process.env, PROPERTY_SEED: '20300101', PROPERTY_END_ON_FAILURE: '1' }

function readMutant(file) {
  const text = readFileSync(join(folder, file), 'utf8')
  const head = text.slice(0, Math.max(0, text.search(/^(--- |diff --git )/m)))
  const [line, kind, given] = /^(Tests|Conformance): (.+)$/m.exec(head) ?? []
  const description = head
    .replace(line ?? '', '')
    .trim()
    .replaceAll('\n', ' ')
  if (given === undefined || description === '') {
    throw new Error(`test/mutants/${file} needs a sentence and a line "Tests: …" or "Conformance: …" before the diff`)
  }
  const tests = { line, kind, args: given.trim().split(/\s+/) }
  return { name: basename(file, '.patch'), file: join(folder, file), tests, description }
}

function copyTree() {
  const tree = mkdtempSync(join(tmpdir(), 'nk-mutant-'))
  for (const path of copied) {
    if (existsSync(join(root, path))) cpSync(join(root, path), join(tree, path), { recursive: true })
  }
  for (const linked of ['node_modules', 'tools']) symlinkSync(join(root, linked), join(tree, linked))
  return tree
}

/** @returns 'green', 'red', or why it is neither. */
function runTests(tree, { kind, args }) {
  return kind === 'Conformance' ? runConformance(tree, args) : runVitest(tree, args)
}

function runConformance(tree, args) {
  const run = spawnSync(process.execPath, [join(tree, 'scripts', 'conformance.mjs'), ...args], {
    cwd: tree,
    encoding: 'utf8',
    timeout: longestRunMs,
    killSignal: 'SIGKILL',
  })
  if (run.error?.code === 'ETIMEDOUT') return 'red'
  if (run.status === 0) return 'green'
  // Status 2: there was nothing to judge.
  return run.status === 1 ? 'red' : `the suite did not run: ${`${run.stdout}${run.stderr}`.trim().slice(-2_000)}`
}

function runVitest(tree, tests) {
  const report = join(tree, 'mutant-report.json')
  rmSync(report, { force: true })
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const run = spawnSync(
    process.execPath,
    [vitest, 'run', '--root', tree, '--bail=1', '--reporter=json', `--outputFile.json=${report}`, ...tests],
    {
      cwd: tree,
      env: { ...environment, NIGHTKILN_HOME: join(tree, 'home') },
      encoding: 'utf8',
      timeout: longestRunMs,
      killSignal: 'SIGKILL',
      maxBuffer: 1 << 28,
    },
  )
  if (run.error?.code === 'ETIMEDOUT') return 'red'
  if (run.status === 0) return 'green'
  if (!existsSync(report)) return `no test ran: ${`${run.stdout}${run.stderr}`.trim().slice(-2_000)}`
  const { numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'))
  if (numFailedTests > 0) return 'red'
  // A file that does not even load would go red for any change: that is a broken mutant, not a caught one.
  const broken = testResults.find((file) => file.status === 'failed')
  return `no test failed, but the run did: ${broken?.message ?? run.stderr.slice(-2_000)}`
}

/** @returns why the mutant was not caught, null when it was. */
function survives(mutant) {
  const tree = copyTree()
  try {
    const applied = spawnSync('git', ['apply', '-p1', '--whitespace=nowarn', mutant.file], {
      cwd: tree,
      encoding: 'utf8',
    })
    if (applied.status !== 0) return `the patch does not apply: ${applied.stderr.trim()}`
    const answer = runTests(tree, mutant.tests)
    if (answer === 'red') return null
    return answer === 'green' ? `survives ${mutant.tests.args.join(' ')}` : answer
  } finally {
    rmSync(tree, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** @returns why the tests cannot judge, null when they are green without any mutant. */
function judge(tests) {
  const tree = copyTree()
  try {
    const answer = runTests(tree, tests)
    return answer === 'green' ? null : `its tests fail without it (${answer})`
  } finally {
    rmSync(tree, { recursive: true, force: true, maxRetries: 5 })
  }
}

const wanted = process.argv.slice(2)
const mutants = readdirSync(folder)
  .filter((file) => file.endsWith('.patch'))
  .filter((file) => wanted.length === 0 || wanted.some((word) => file.includes(word)))
  .sort()
  .map(readMutant)
if (mutants.length === 0) {
  process.stderr.write(`no mutant is named ${wanted.join(' or ')}\n`)
  process.exit(1)
}

const judged = new Map()
let survivors = 0
for (const mutant of mutants) {
  const key = mutant.tests.line
  const began = performance.now()
  if (!judged.has(key)) judged.set(key, judge(mutant.tests))
  const reason = judged.get(key) ?? survives(mutant)
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  if (reason === null) process.stdout.write(`caught    ${mutant.name} (${seconds} s)\n`)
  else {
    survivors += 1
    process.stdout.write(`SURVIVED  ${mutant.name} (${seconds} s): ${mutant.description}\n          ${reason}\n`)
  }
}
process.stdout.write(`${mutants.length - survivors} of ${mutants.length} mutants caught\n`)
process.exit(survivors === 0 ? 0 : 1)
