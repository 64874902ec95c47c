import { existsSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

export const clientNames = ['claude-desktop', 'claude-code', 'vscode', 'cursor'] as const
export type ClientName = (typeof clientNames)[number]

/** Where setup looks; injected, so that tests never touch a real home. */
export interface SetupWorld {
  readonly home: string
  readonly platform: NodeJS.Platform
  readonly environment: NodeJS.ProcessEnv
  /** The folder whose project files are written with --project. */
  readonly project: string
}

/** One configuration file of one client. */
export interface ConfigurationTarget {
  /** `generic`: any other client, whose file a person names. */
  readonly client: ClientName | 'generic'
  readonly title: string
  readonly scope: 'user' | 'project'
  readonly file: string
  /** The object that holds the servers. */
  readonly key: 'mcpServers' | 'servers'
  /** Whether entries carry `type: "stdio"`. */
  readonly typed: boolean
  /** Whether the client takes comments and trailing commas in the file. */
  readonly comments: boolean
  /** Whether the client seems to be installed (or the project uses it). */
  readonly present: boolean
}

/** @returns the world of this process. */
export function setupWorld(environment: NodeJS.ProcessEnv, project: string): SetupWorld {
  const home = environment['HOME'] || environment['USERPROFILE'] || homedir()
  return { home, platform: process.platform, environment, project }
}

/** Folder of the applications' settings of the user. */
function settingsFolder(world: SetupWorld): string {
  if (world.platform === 'darwin') return join(world.home, 'Library', 'Application Support')
  if (world.platform === 'win32') return world.environment['APPDATA'] || join(world.home, 'AppData', 'Roaming')
  return world.environment['XDG_CONFIG_HOME'] || join(world.home, '.config')
}

/** Store (MSIX) builds of Claude Desktop read a redirected folder and ignore %APPDATA%. */
function storeFolders(world: SetupWorld): string[] {
  if (world.platform !== 'win32') return []
  const packages = join(world.environment['LOCALAPPDATA'] || join(world.home, 'AppData', 'Local'), 'Packages')
  try {
    return readdirSync(packages)
      .filter((name) => /^Claude_/.test(name))
      .map((name) => join(packages, name, 'LocalCache', 'Roaming', 'Claude'))
  } catch {
    return []
  }
}

function desktopTargets(world: SetupWorld): ConfigurationTarget[] {
  const usual = join(settingsFolder(world), 'Claude')
  const store = storeFolders(world)
  const folders = store.length > 0 && !existsSync(usual) ? store : [usual, ...store]
  return folders.map((folder) => ({
    client: 'claude-desktop',
    title: 'Claude Desktop',
    scope: 'user',
    file: join(folder, 'claude_desktop_config.json'),
    key: 'mcpServers',
    typed: false,
    comments: false,
    present: store.includes(folder) || existsSync(folder),
  }))
}

/** Editors of the VS Code family, each with settings of its own. */
const codeEditors = [
  ['VS Code', 'Code'],
  ['VS Code Insiders', 'Code - Insiders'],
  ['VSCodium', 'VSCodium'],
] as const

function codeTargets(world: SetupWorld): ConfigurationTarget[] {
  return codeEditors.flatMap(([title, name]) => {
    const user = join(settingsFolder(world), name, 'User')
    const usual = target('vscode', title, 'user', join(user, 'mcp.json'), 'servers', true, existsSync(user))
    return [
      usual,
      ...profileFiles(user).map((file) => target('vscode', `${title} (profile)`, 'user', file, 'servers', true, true)),
    ]
  })
}

/** A profile that has servers of its own does not look at those of the default one. */
function profileFiles(user: string): string[] {
  try {
    return readdirSync(join(user, 'profiles'))
      .map((name) => join(user, 'profiles', name, 'mcp.json'))
      .filter((file) => existsSync(file))
  } catch {
    return []
  }
}

/** @returns every configuration file that setup can write in a scope, whether its client is there or not. */
export function clientConfigurations(world: SetupWorld, scope: 'user' | 'project'): ConfigurationTarget[] {
  if (scope === 'project') {
    const { project } = world
    return [
      target('claude-code', 'Claude Code (project)', scope, join(project, '.mcp.json'), 'mcpServers', true, true),
      target('vscode', 'VS Code (project)', scope, join(project, '.vscode', 'mcp.json'), 'servers', true, true),
      target('cursor', 'Cursor (project)', scope, join(project, '.cursor', 'mcp.json'), 'mcpServers', false, true),
    ]
  }
  const claude = join(world.environment['CLAUDE_CONFIG_DIR'] || world.home, '.claude.json')
  const cursor = join(world.home, '.cursor')
  const claudePresent = existsSync(claude) || existsSync(join(world.home, '.claude'))
  return [
    ...desktopTargets(world),
    target('claude-code', 'Claude Code', scope, claude, 'mcpServers', true, claudePresent),
    ...codeTargets(world),
    target('cursor', 'Cursor', scope, join(cursor, 'mcp.json'), 'mcpServers', false, existsSync(cursor)),
  ]
}

/** @returns of every client the files that are there, or the usual one when none is. */
export function likelyTargets(targets: readonly ConfigurationTarget[]): ConfigurationTarget[] {
  return targets.filter(
    (one) =>
      one.present ||
      (targets.find((other) => other.client === one.client) === one &&
        !targets.some((other) => other.client === one.client && other.present)),
  )
}

function target(
  client: ClientName,
  title: string,
  scope: 'user' | 'project',
  file: string,
  key: ConfigurationTarget['key'],
  typed: boolean,
  present: boolean,
): ConfigurationTarget {
  return { client, title, scope, file, key, typed, comments: client !== 'claude-code', present }
}
