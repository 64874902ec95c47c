import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { repositoryRoot } from './repository.ts'

/** Vitest global setup: dist/ is built when it is missing or older than src/, so that tests run what ships. */
export function setup(): void {
  const build = spawnSync(process.execPath, [join(repositoryRoot, 'scripts', 'ensure-built.mjs')], { encoding: 'utf8' })
  if (build.status !== 0) throw new Error(`the build failed:\n${build.stdout}${build.stderr}`)
}
