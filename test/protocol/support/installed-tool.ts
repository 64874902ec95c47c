import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from '../../support/repository.ts'

/** What npm says when nobody answers, as against a package that is broken. */
const unreachable = /EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|ERR_SOCKET_TIMEOUT/

/** A public tool that has a folder of its own below tools/, with a lock file. */
export interface InstalledTool {
  /** Its program. */
  readonly program: string
  /** @returns null when it is there; else why the tests cannot run. @throws Error when it is there and cannot be installed */
  ensure(): string | null
}

/** @param program the path of its program below node_modules */
export function installedTool(name: string, program: string): InstalledTool {
  const folder = join(repositoryRoot, 'tools', name)
  const path = join(folder, 'node_modules', program)
  return {
    program: path,
    ensure() {
      if (existsSync(path)) return null
      const install = spawnSync('npm', ['ci', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund'], {
        encoding: 'utf8',
        // Some say that they need Node 22 and run on Node 20 as well; a strict npm would refuse.
        env: { ...process.env, npm_config_engine_strict: 'false' },
      })
      if (install.status === 0) return null
      const said = `${install.stdout}${install.stderr}`
      if (unreachable.test(said)) return `the package registry cannot be reached, and tools/${name} is not installed`
      throw new Error(`npm ci in tools/${name} failed:\n${said}`)
    },
  }
}
