// npm run chaos                   what `npm test` proves by a slice, in whole: all kills, crowds, random histories and bytes
// npm run chaos -- <vitest args>  passed on, for example: npm run chaos -- test/crash/manager-kills.test.ts
//
// Builds when needed and runs every test that asks test/support/rounds.ts, with NIGHTKILN_CHAOS=1, one file at a time: most of
// them measure times or memory, or want both processors. Prints the totals and what failed, as `npm test` does.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** @returns the test files that have a slice, as paths from the root */
function slicedTests() {
  const tests = readdirSync(join(root, 'test'), { recursive: true }).filter((name) => name.endsWith('.test.ts'))
  const sliced = tests.filter((name) => readFileSync(join(root, 'test', name), 'utf8').includes('/support/rounds.ts'))
  return sliced.map((name) => `test/${name.replaceAll('\\', '/')}`).sort()
}

const given = process.argv.slice(2)
const files = given.some((argument) => argument.startsWith('test/')) ? given : [...slicedTests(), ...given]
const run = spawnSync(process.execPath, [join(root, 'scripts', 'run-tests.mjs'), ...files], {
  cwd: root,
  env: { ...process.env, NIGHTKILN_CHAOS: '1' },
  stdio: 'inherit',
})
process.exitCode = run.status ?? 1
