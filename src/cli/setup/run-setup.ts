import { type ErrorRecord, toErrorRecord } from '../../domain/errors.ts'
import { addArguments, findClaude, removeArguments, runClaude } from './claude-command.ts'
import {
  type ClientName,
  type ConfigurationTarget,
  clientConfigurations,
  likelyTargets,
  type SetupWorld,
} from './client-files.ts'
import { applyChange, keepCopy, type PlannedChange, planChange, readConfiguration } from './configuration-file.ts'
import { type Entry, entryFor } from './server-entry.ts'

export interface SetupRequest {
  readonly action: 'add' | 'remove'
  readonly scope: 'user' | 'project'
  /** Empty: every client that seems to be installed. */
  readonly clients: readonly ClientName[]
  /** A file that a person named, of whatever client; then no other is meant. */
  readonly file?: string
  readonly dryRun: boolean
  /** For the names of backups: text without colons. */
  readonly stamp: string
}

export interface SetupOutcome {
  readonly client: ConfigurationTarget['client']
  readonly title: string
  readonly file: string
  readonly result: 'added' | 'updated' | 'removed' | 'unchanged' | 'failed'
  /** `file`: written by us; `claude`: by Claude Code's own command. */
  readonly how: 'file' | 'claude'
  readonly change: PlannedChange | null
  readonly backup: string | null
  readonly error: ErrorRecord | null
}

/** @returns the files that a request is about. */
export function chosenTargets(
  world: SetupWorld,
  request: Pick<SetupRequest, 'scope' | 'clients' | 'file'>,
): ConfigurationTarget[] {
  if (request.file !== undefined) return [genericTarget(request.file)]
  const all = clientConfigurations(world, request.scope)
  if (request.clients.length > 0)
    return likelyTargets(all.filter((target) => request.clients.some((client) => client === target.client)))
  return all.filter((target) => target.present || (target.client === 'claude-code' && findClaude(world) !== null))
}

/** A file in the form that most clients share. */
export function genericTarget(file: string): ConfigurationTarget {
  return {
    client: 'generic',
    title: 'Any MCP client',
    scope: 'user',
    file,
    key: 'mcpServers',
    typed: true,
    comments: true,
    present: true,
  }
}

/** Writes this server into (or removes it from) the configurations of MCP clients; one failure does not stop the others. */
export function runSetup(world: SetupWorld, request: SetupRequest, entry: Entry): SetupOutcome[] {
  return chosenTargets(world, request).map((target) => setUp(world, request, target, entry))
}

function setUp(world: SetupWorld, request: SetupRequest, target: ConfigurationTarget, entry: Entry): SetupOutcome {
  const wanted = request.action === 'add' ? entryFor(target, entry) : null
  const claude = target.client === 'claude-code' && target.scope === 'user' ? findClaude(world) : null
  const how = claude === null ? 'file' : 'claude'
  const base = { client: target.client, title: target.title, file: target.file, how } as const
  try {
    const state = readConfiguration(target)
    const existed = state.kind === 'read' && state.entry !== undefined
    const change = planChange(target, wanted)
    const result = change === null ? 'unchanged' : wanted === null ? 'removed' : existed ? 'updated' : 'added'
    if (change === null || request.dryRun) return { ...base, result, change, backup: null, error: null }
    if (claude !== null) {
      const byClaude = throughClaude(world, request, target, claude, { wanted, existed })
      if (byClaude !== null) return { ...base, result, change, backup: byClaude.backup, error: null }
    }
    return {
      ...base,
      how: 'file',
      result,
      change,
      backup: applyChange(target.file, change, request.stamp),
      error: null,
    }
  } catch (error) {
    return { ...base, result: 'failed', change: null, backup: null, error: toErrorRecord(error) }
  }
}

/**
 * Lets Claude Code change its own file, which it also rewrites while it runs.
 * @returns null when that did not work and the file must be written
 */
function throughClaude(
  world: SetupWorld,
  request: SetupRequest,
  target: ConfigurationTarget,
  claude: string,
  plan: { wanted: Entry | null; existed: boolean },
): { backup: string | null } | null {
  const { wanted, existed } = plan
  if (wanted !== null && !('command' in wanted)) return null
  const backup = keepCopy(target.file, request.stamp)
  if (existed && runClaude(claude, removeArguments, world) !== null) return null
  if (wanted !== null && runClaude(claude, addArguments(wanted), world) !== null) return null
  return planChange(target, wanted) === null ? { backup } : null
}
