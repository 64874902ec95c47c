// The official command line for .mcpb bundles.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const tool = join(dirname(dirname(fileURLToPath(import.meta.url))), 'tools', 'bundle')
const program = join(tool, 'node_modules', '@anthropic-ai', 'mcpb', 'dist', 'cli', 'cli.js')

function run(command, args) {
  const child = spawnSync(command, args, { encoding: 'utf8' })
  if (child.status !== 0) {
    throw new Error(
      `${[command, ...args].join(' ')} failed:\n${child.error?.message ?? ''}${child.stdout}${child.stderr}`,
    )
  }
  return child.stdout
}

/**
 * Runs the packer, which is installed from its lock file where it is missing.
 * @param args such as validate FILE, pack FOLDER FILE, unpack FILE FOLDER
 * @returns what it printed
 * @throws Error with all that it printed when it failed
 */
export function runPacker(...args) {
  if (!existsSync(program)) run('npm', ['ci', '--prefix', tool, '--ignore-scripts', '--no-audit', '--no-fund'])
  return run(process.execPath, [program, ...args])
}
