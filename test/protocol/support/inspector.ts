import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from '../../support/repository.ts'

const folder = join(repositoryRoot, 'tools', 'inspector')
const launcher = join(
  folder,
  'node_modules',
  '@modelcontextprotocol',
  'inspector',
  'clients',
  'launcher',
  'build',
  'index.js',
)

export interface InspectorRun {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Installs the Inspector from its lock file where it is missing; it has a folder of its own because it asks for Node 22. */
export function ensureInspector(): void {
  if (existsSync(launcher)) return
  const install = spawnSync('npm', ['ci', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund'], {
    encoding: 'utf8',
    // The command runs on Node 20, too, whatever the package says; a strict npm would refuse.
    env: { ...process.env, npm_config_engine_strict: 'false' },
  })
  if (install.status !== 0) throw new Error(`npm ci in tools/inspector failed:\n${install.stdout}${install.stderr}`)
}

/** Runs the Inspector's command line against a server. */
export function runInspector(
  server: readonly string[],
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<InspectorRun> {
  const child = spawn(process.execPath, [launcher, '--cli', ...server, ...args], {
    env: { ...environment, HOME: environment['NIGHTKILN_HOME'] ?? '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
}
