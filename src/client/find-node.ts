import { accessSync, constants, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { QueueError } from '../domain/errors.ts'

/**
 * Finds a Node.js that can run the manager. Inside another runtime (an Electron app that embeds the front end) the own
 * executable cannot load native modules, so a real node is looked for.
 * @throws QueueError manager_unavailable when there is none
 */
export function findNode(
  environment: NodeJS.ProcessEnv = process.env,
  runtime: NodeJS.ProcessVersions = process.versions,
): string {
  const chosen = environment['NIGHTKILN_NODE']
  if (chosen !== undefined && chosen !== '') {
    if (isExecutable(chosen)) return chosen
    throw new QueueError('manager_unavailable', `NIGHTKILN_NODE is "${chosen}", which is not an executable file`, {
      remedy: 'Set NIGHTKILN_NODE to the absolute path of node (>= 20.19), or unset it.',
    })
  }
  const embedded = runtime['electron'] !== undefined || runtime['bun'] !== undefined
  if (!embedded) return process.execPath
  const name = process.platform === 'win32' ? 'node.exe' : 'node'
  const folders = [
    ...(environment['PATH'] ?? '').split(delimiter).filter((folder) => folder !== ''),
    '/opt/homebrew/bin',
    '/usr/local/bin',
    '/usr/bin',
    ...nodeVersionManagerFolders(environment),
  ]
  const found = folders.map((folder) => join(folder, name)).find(isExecutable)
  if (found !== undefined) return found
  throw new QueueError('manager_unavailable', 'no Node.js was found to run the manager with', {
    remedy: 'Install Node.js 20.19 or newer from your system or nodejs.org, or set NIGHTKILN_NODE to its path.',
  })
}

function nodeVersionManagerFolders(environment: NodeJS.ProcessEnv): string[] {
  const root = join(environment['NVM_DIR'] ?? join(homedir(), '.nvm'), 'versions', 'node')
  try {
    return readdirSync(root)
      .sort((left, right) => right.localeCompare(left, 'en', { numeric: true }))
      .map((folder) => join(root, folder, 'bin'))
  } catch {
    return []
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
