import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { SetupWorld } from './client-files.ts'
import { type ServerEntry, serverName } from './server-entry.ts'

const timeoutMs = 30_000

/** @returns the path of the `claude` program, or null. On Windows it is a script that only a shell runs: the file is written instead. */
export function findClaude(world: SetupWorld): string | null {
  if (world.platform === 'win32') return null
  for (const folder of (world.environment['PATH'] ?? '').split(delimiter)) {
    const file = join(folder, 'claude')
    try {
      if (folder === '') continue
      accessSync(file, constants.X_OK)
      return file
    } catch {
      // Not in this folder.
    }
  }
  return null
}

/** @returns arguments of `claude` that add this server. A list option may not stand right before the name: it would take it. */
export function addArguments(entry: ServerEntry): string[] {
  const variables = Object.entries(entry.env).flatMap(([name, value]) => ['--env', `${name}=${value}`])
  return ['mcp', 'add', ...variables, '--scope', 'user', serverName, '--', entry.command, ...entry.args]
}

export const removeArguments = ['mcp', 'remove', '--scope', 'user', serverName] as const

/** @returns null when it worked, else why not. */
export function runClaude(program: string, given: readonly string[], world: SetupWorld): string | null {
  const child = spawnSync(program, [...given], {
    encoding: 'utf8',
    timeout: timeoutMs,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...world.environment, HOME: world.home },
    cwd: world.home,
  })
  if (child.status === 0) return null
  const said = `${child.stderr ?? ''}${child.stdout ?? ''}`.trim().split('\n').at(-1) ?? ''
  return child.error?.message ?? (said || `it ended with ${child.signal ?? `code ${child.status}`}`)
}
