import { existsSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import type { Session } from '../session.ts'
import { clientConfigurations, setupWorld } from '../setup/client-files.ts'
import { readConfiguration } from '../setup/configuration-file.ts'
import { type Check, checkNamed } from './check.ts'

/** Configurations of MCP clients that name this server: the paths in them must still exist. */
export function checkClients(session: Pick<Session, 'environment' | 'cwd'>): Check {
  const check = checkNamed('mcp_clients', 'MCP clients')
  const world = setupWorld(session.environment, session.cwd)
  const configured: string[] = []
  const broken: string[] = []
  const unreadable: string[] = []
  for (const target of [...clientConfigurations(world, 'user'), ...clientConfigurations(world, 'project')]) {
    const state = readConfiguration(target)
    if (state.kind === 'unreadable') unreadable.push(`${target.file} (${state.reason})`)
    if (state.kind !== 'read' || state.entry === undefined) continue
    configured.push(target.title)
    const missing = pathsOf(state.entry).filter((path) => !existsSync(path))
    if (missing.length > 0) broken.push(`${target.file} names ${missing.join(' and ')}, which does not exist`)
  }
  const remedy = 'Run nightkiln setup: it writes the paths of this installation.'
  if (broken.length > 0) return check.problem(broken.join('; '), remedy)
  if (unreadable.length > 0)
    return check.warning(
      `${configured.length === 0 ? '' : `set up: ${configured.join(', ')}; `}not read: ${unreadable.join('; ')}`,
      'Correct the file, or ignore this when it is not plain JSON on purpose.',
    )
  if (configured.length === 0) return check.warning('none is set up', 'Run nightkiln setup.')
  return check.ok(configured.join(', '))
}

function pathsOf(entry: unknown): string[] {
  if (typeof entry !== 'object' || entry === null) return []
  const { command, args } = entry as { command?: unknown; args?: unknown }
  const words = [command, ...(Array.isArray(args) ? args : [])]
  return words.filter((word): word is string => typeof word === 'string' && isAbsolute(word))
}
