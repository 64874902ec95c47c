import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findNode } from '../../client/find-node.ts'
import { isSupportedNode } from '../../client/node-version.ts'
import { QueueError } from '../../domain/errors.ts'
import { type Check, checkNamed } from './check.ts'
import { type ProbeAnswer, runProbe } from './run-probe.ts'

/** What an application started from the desktop gets. */
const desktopPath = ['/usr/bin', '/bin', '/usr/sbin', '/sbin'].join(delimiter)

/** The node that runs the manager. */
export function checkNode(environment: NodeJS.ProcessEnv): Check {
  const check = checkNamed('node', 'node')
  try {
    const node = findNode(environment)
    const version =
      node === process.execPath
        ? process.version
        : spawnSync(node, ['--version'], { encoding: 'utf8', timeout: 5_000 }).stdout.trim()
    if (isSupportedNode(version)) return check.ok(`${version} at ${node}`)
    return check.problem(`${version || 'an unknown version'} at ${node} is too old`, 'Install Node.js 20.19 or newer.')
  } catch (error) {
    const problem = error instanceof QueueError ? error : new QueueError('internal', (error as Error).message)
    return check.problem(problem.message, problem.remedy)
  }
}

/** The one native module; loaded in a child, so that a broken one cannot take doctor down. */
export function checkNativeModule(environment: NodeJS.ProcessEnv): { check: Check; loaded: boolean } {
  const check = checkNamed('native_module', 'native module better-sqlite3')
  const answer: ProbeAnswer = runProbe(['native'], environment)
  if (answer.ok) return { check: check.ok(`SQLite ${answer.sqlite_version ?? '?'}`), loaded: true }
  const packageFolder = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))))
  const folder = existsSync(join(packageFolder, 'package.json')) ? packageFolder : dirname(packageFolder)
  return {
    check: check.problem(answer.message, `Run with the same node: cd ${folder} && npm rebuild better-sqlite3`),
    loaded: false,
  }
}

/** Whether an application started from the desktop would find node by name. */
export function checkDesktopPath(platform: NodeJS.Platform = process.platform, path: string = desktopPath): Check {
  const check = checkNamed('desktop_path', 'PATH of desktop applications')
  if (platform === 'win32') return check.ok('the same as here')
  const found = path
    .split(delimiter)
    .map((folder) => join(folder, 'node'))
    .find((file) => existsSync(file))
  if (found === undefined) {
    return check.warning(
      `no node in ${path}: a client that starts "node" by name fails`,
      'Run nightkiln setup: it writes absolute paths.',
    )
  }
  const version = spawnSync(found, ['--version'], { encoding: 'utf8', timeout: 5_000 }).stdout?.trim() ?? ''
  if (isSupportedNode(version)) return check.ok(`${found} ${version}`)
  return check.warning(
    `${found} is ${version || 'not usable'}, too old`,
    'Run nightkiln setup: it writes absolute paths.',
  )
}
