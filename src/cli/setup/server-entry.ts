import { spawnSync } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { delimiter, dirname, isAbsolute, join } from 'node:path'
import { findNode } from '../../client/find-node.ts'
import { programFile } from '../../config/program-files.ts'
import type { ConfigurationTarget, SetupWorld } from './client-files.ts'

export const serverName = 'nightkiln'

/** What every client is told: absolute paths, because desktop applications do not have the PATH of a shell. */
export interface ServerEntry {
  readonly type?: 'stdio'
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** For clients that connect to `nightkiln mcp --http`. */
export interface HttpEntry {
  readonly type: 'http'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

export type Entry = ServerEntry | HttpEntry

const marker = '__nightkiln_path__'
const shellTimeoutMs = 5_000

/**
 * @returns the PATH of the user's login shell, which knows nvm, Homebrew and friends; null when it cannot be asked.
 */
export function loginShellPath(world: SetupWorld): string | null {
  const shell = world.environment['SHELL']
  if (world.platform === 'win32' || shell === undefined || !existsSync(shell)) return null
  // fish prints lists with spaces when quoted; all shells pass the exported variable to a child alike.
  const child = spawnSync(shell, ['-l', '-i', '-c', `/bin/sh -c 'printf "${marker}%s${marker}" "$PATH"'`], {
    encoding: 'utf8',
    timeout: shellTimeoutMs,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...world.environment, TERM: 'dumb' },
    killSignal: 'SIGKILL',
  })
  const parts = (child.stdout ?? '').split(marker)
  return parts.length >= 3 && parts[1] !== undefined && parts[1] !== '' ? parts[1] : null
}

/** A Homebrew cellar path vanishes at the next upgrade; the link in `bin` stays. */
export function lastingNode(node: string, path: string): string {
  if (!/[\\/]Cellar[\\/]/.test(node)) return node
  const links = path.split(delimiter).map((folder) => join(folder, 'node'))
  return links.find((link) => existsSync(link) && realpathSync(link) === realpathSync(node)) ?? node
}

/** @returns the folders of both paths in order, each once, that of node first if it was missing. */
export function mergedPath(paths: readonly (string | null | undefined)[], node: string): string {
  const folders = paths.flatMap((path) => (path ?? '').split(delimiter)).filter((folder) => folder !== '')
  if (!folders.includes(dirname(node))) folders.unshift(dirname(node))
  return [...new Set(folders)].join(delimiter)
}

/** @returns a PATH without what npm and npx put there for one run, and without folders that depend on where one stands. */
export function lastingPath(path: string): string {
  return path
    .split(delimiter)
    .filter((folder) => isAbsolute(folder) && !/[\\/](node_modules[\\/]\.bin|node-gyp-bin)[\\/]?$/.test(folder))
    .join(delimiter)
}

/** @returns the entry for this installation. */
export function makeServerEntry(world: SetupWorld, loginPath: string | null = loginShellPath(world)): ServerEntry {
  const node = lastingNode(findNode(world.environment), loginPath ?? world.environment['PATH'] ?? '')
  const home = world.environment['NIGHTKILN_HOME']
  return {
    command: node,
    args: [programFile('cli', 'main.js'), 'mcp'],
    env: {
      // The terminal knows what a login shell does not: a version manager, an activated environment.
      PATH: mergedPath([loginPath, lastingPath(world.environment['PATH'] ?? '')], node),
      ...(home === undefined || home === '' ? {} : { NIGHTKILN_HOME: home }),
    },
  }
}

/** Where `nightkiln mcp --http` listens unless told otherwise. */
export const usualUrl = 'http://127.0.0.1:8765/mcp'

/** @returns the entry for a server that is running, by whom and wherever. */
export function makeHttpEntry(url: string, token: string): HttpEntry {
  return { type: 'http', url, headers: { Authorization: `Bearer ${token}` } }
}

/** @returns the entry in the shape of one client. */
export function entryFor(target: Pick<ConfigurationTarget, 'typed'>, entry: Entry): Entry {
  return target.typed && 'command' in entry ? { type: 'stdio', ...entry } : entry
}
