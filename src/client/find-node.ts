import { accessSync, constants, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { QueueError } from '../domain/errors.ts'
import { isUsableNode } from './node-version.ts'

/** Runtimes that answer to `process.versions.node` and cannot load what is compiled for Node.js. */
const embeddingRuntimes = ['electron', 'bun', 'deno'] as const

/**
 * Finds a Node.js that can run the manager. Inside another runtime (an Electron app that embeds the front end) the own
 * executable cannot load native modules, so a real node is looked for.
 * @throws QueueError manager_unavailable when there is none
 */
export function findNode(
  environment: NodeJS.ProcessEnv = process.env,
  runtime: NodeJS.ProcessVersions = process.versions,
): string {
  const chosen = chosenNode(environment)
  if (chosen !== null) return chosen
  if (!isEmbedded(runtime)) return process.execPath
  // Claude Desktop puts every version of nvm into PATH, the oldest first.
  const found = nodesOfThisMachine(environment).find(isUsableNode)
  if (found !== undefined) return found
  throw new QueueError('manager_unavailable', 'no Node.js that is new enough was found to run the manager with', {
    remedy: 'Install Node.js 20.19 or newer from your system or nodejs.org, or set NIGHTKILN_NODE to its path.',
  })
}

/** Whether this process is another runtime than Node.js itself. */
export function isEmbedded(runtime: NodeJS.ProcessVersions = process.versions): boolean {
  return embeddingRuntimes.some((name) => runtime[name] !== undefined)
}

/**
 * @returns what NIGHTKILN_NODE says, null when it says nothing
 * @throws QueueError manager_unavailable when that cannot be run
 */
export function chosenNode(environment: NodeJS.ProcessEnv): string | null {
  const chosen = environment['NIGHTKILN_NODE']
  if (chosen === undefined || chosen === '') return null
  if (isExecutable(chosen)) return chosen
  throw new QueueError('manager_unavailable', `NIGHTKILN_NODE is "${chosen}", which is not an executable file`, {
    remedy: 'Set NIGHTKILN_NODE to the absolute path of node (>= 20.19), or unset it.',
  })
}

/** @returns every node of PATH, of the usual folders and of version managers, each once; first what is found first. */
export function nodesOfThisMachine(environment: NodeJS.ProcessEnv): string[] {
  const windows = process.platform === 'win32'
  const folders = [
    ...(environment['PATH'] ?? '').split(delimiter).filter((folder) => folder !== ''),
    ...(windows
      ? [join(environment['ProgramFiles'] ?? 'C:\\Program Files', 'nodejs')]
      : ['/opt/homebrew/bin', '/usr/local/bin', '/usr/bin']),
    ...versionManagerFolders(environment),
  ]
  const files = folders.map((folder) => join(folder, windows ? 'node.exe' : 'node'))
  return [...new Set(files)].filter(isExecutable)
}

/** A desktop application has the PATH of the desktop, which knows no version manager. */
function versionManagerFolders(environment: NodeJS.ProcessEnv): string[] {
  const home = environment['HOME'] || environment['USERPROFILE'] || homedir()
  const nvm = environment['NVM_DIR'] || join(home, '.nvm')
  const fnm = environment['FNM_DIR'] || join(home, '.local', 'share', 'fnm')
  const places: readonly (readonly [string, ...string[]])[] = [
    [join(nvm, 'versions', 'node'), 'bin'],
    [join(fnm, 'node-versions'), 'installation', 'bin'],
    [join(home, 'Library', 'Application Support', 'fnm', 'node-versions'), 'installation', 'bin'],
    [join(home, '.volta', 'tools', 'image', 'node'), 'bin'],
    [join(home, '.asdf', 'installs', 'nodejs'), 'bin'],
    [join(home, '.local', 'share', 'mise', 'installs', 'node'), 'bin'],
  ]
  return places.flatMap(([versions, ...rest]) => newestFirst(versions).map((name) => join(versions, name, ...rest)))
}

function newestFirst(folder: string): string[] {
  try {
    return readdirSync(folder).sort((left, right) => right.localeCompare(left, 'en', { numeric: true }))
  } catch {
    return []
  }
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
