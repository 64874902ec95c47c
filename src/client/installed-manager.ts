import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, delimiter, dirname, isAbsolute, join } from 'node:path'
import { QueueError } from '../domain/errors.ts'
import type { ManagerFile } from '../domain/wire/manager.ts'
import { chosenNode, findNode, isExecutable, nodesOfThisMachine } from './find-node.ts'
import { isUsableNode } from './node-version.ts'
import { compareVersions } from './versions.ts'

/** A manager's program and the node to run it with: its native module fits that one. */
export interface InstalledManager {
  readonly node: string
  readonly entry: string
  readonly version: string
}

const managerProgram = ['dist', 'manager', 'process', 'main.js'] as const
const entryVariable = 'NIGHTKILN_ENTRY'

/**
 * Finds the installed program for a front end that came without one, such as the bundle for desktop clients: what NIGHTKILN_ENTRY
 * names, else the newest of what the state directory knows and of the global packages of every node on this machine, and of the command in PATH.
 * @param recorded manager.json of the state directory
 * @throws QueueError manager_unavailable, which says what to install
 */
export function findInstalledManager(
  recorded: ManagerFile | null,
  environment: NodeJS.ProcessEnv = process.env,
): InstalledManager {
  const named = environment[entryVariable]
  if (named !== undefined && named !== '') return namedManager(named, environment)
  const known: InstalledManager[] = []
  if (recorded !== null && existsSync(recorded.entry) && isExecutable(recorded.node))
    known.push({ node: recorded.node, entry: recorded.entry, version: recorded.version })
  for (const [node, folder] of globalPackages(environment)) {
    const manager = managerIn(folder, node)
    if (manager !== null && isUsableNode(node)) known.push(manager)
  }
  // Stable: among equals the one that led last.
  const [newest] = known.sort((left, right) => compareVersions(right.version, left.version))
  if (newest === undefined) throw nothingInstalled()
  return { ...newest, node: chosenNode(environment) ?? newest.node }
}

function nothingInstalled(): QueueError {
  return new QueueError(
    'manager_unavailable',
    'Nightkiln itself is not installed: this extension is its front end, and the program that runs jobs was not found',
    {
      remedy: `Tell the user to install it, in a terminal: npm install --global nightkiln (Node.js 20.19 or newer). No restart is needed. If it is installed elsewhere, give the folder of the package in the settings of the extension (Installed package, or ${entryVariable}).`,
    },
  )
}

/** What a person named: the folder of the package, or any file in its dist/. */
function namedManager(named: string, environment: NodeJS.ProcessEnv): InstalledManager {
  // The manager is started in another directory than this one.
  for (let folder = named; isAbsolute(folder); folder = dirname(folder)) {
    const manager = managerIn(folder, '')
    if (manager !== null)
      return { ...manager, node: chosenNode(environment) ?? nodeOf(folder) ?? findNode(environment) }
    if (dirname(folder) === folder || basename(folder) === 'node_modules') break
  }
  throw new QueueError('manager_unavailable', `${entryVariable} is "${named}", where Nightkiln is not`, {
    remedy: `Set ${entryVariable} to the absolute path of the installed package, such as $(npm root --global)/nightkiln, or unset it.`,
  })
}

function managerIn(folder: string, node: string): InstalledManager | null {
  try {
    const about = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      name?: unknown
      version?: unknown
    }
    const entry = join(folder, ...managerProgram)
    if (about.name !== 'nightkiln' || typeof about.version !== 'string' || !existsSync(entry)) return null
    return { node, entry, version: about.version }
  } catch {
    return null
  }
}

/** @returns the node of the prefix in whose global packages a folder lies, null when there is none. */
function nodeOf(folder: string): string | null {
  const packages = dirname(folder)
  if (basename(packages) !== 'node_modules') return null
  const node =
    process.platform === 'win32' ? join(dirname(packages), 'node.exe') : join(dirname(dirname(packages)), 'bin', 'node')
  return isExecutable(node) ? node : null
}

/** @returns pairs of a node and the folder where its npm puts this package, whether it is there or not. */
function globalPackages(environment: NodeJS.ProcessEnv): (readonly [node: string, folder: string])[] {
  const windows = process.platform === 'win32'
  const nodes = nodesOfThisMachine(environment)
  const own = nodes.flatMap((node) =>
    // A link such as /usr/local/bin/node leads to the installation, whose prefix may be the one of either.
    [...new Set([node, realpathSync(node)])].map((file) => {
      const prefix = windows ? dirname(file) : dirname(dirname(file))
      return [file, packageIn(prefix)] as const
    }),
  )
  const [first] = nodes
  if (first === undefined) return own
  const others = [...configuredPrefixes(environment).map(packageIn), ...commandPackages(environment)]
  return [...own, ...others.map((folder) => [first, folder] as const)]
}

/** The command in PATH is a link into its package; on Windows it is a script that tells nothing. */
function commandPackages(environment: NodeJS.ProcessEnv): string[] {
  return (environment['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => isAbsolute(folder))
    .flatMap((folder) => {
      try {
        return [dirname(dirname(dirname(realpathSync(join(folder, 'nightkiln')))))]
      } catch {
        return []
      }
    })
}

function packageIn(prefix: string): string {
  return process.platform === 'win32'
    ? join(prefix, 'node_modules', 'nightkiln')
    : join(prefix, 'lib', 'node_modules', 'nightkiln')
}

/** A prefix that the user gave npm, so that global packages need no administrator. */
function configuredPrefixes(environment: NodeJS.ProcessEnv): string[] {
  const home = environment['HOME'] || environment['USERPROFILE'] || homedir()
  const prefixes = [environment['npm_config_prefix'], environment['NPM_CONFIG_PREFIX'], prefixOf(join(home, '.npmrc'))]
  if (process.platform === 'win32')
    prefixes.push(join(environment['APPDATA'] || join(home, 'AppData', 'Roaming'), 'npm'))
  return prefixes
    .filter((prefix): prefix is string => prefix !== undefined && prefix !== '')
    .map((prefix) => prefix.replace(/^~(?=[\\/])|\$\{HOME\}/, home))
}

function prefixOf(npmrc: string): string | undefined {
  try {
    return /^\s*prefix\s*=\s*(.+?)\s*$/m.exec(readFileSync(npmrc, 'utf8'))?.[1]?.replace(/^"(.*)"$/, '$1')
  } catch {
    return undefined
  }
}
