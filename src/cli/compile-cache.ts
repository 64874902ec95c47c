import module from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** Node 22.8 and later. */
type CachingModule = typeof module & { enableCompileCache?: (directory: string) => unknown }

/**
 * Lets Node keep compiled code between starts. In the user's own cache directory: Node's default is below the shared temp
 * directory, where others could put code.
 */
export function keepCompiledCode(environment: NodeJS.ProcessEnv = process.env): void {
  const { enableCompileCache } = module as CachingModule
  if (enableCompileCache === undefined) return
  try {
    enableCompileCache(join(cacheFolder(environment), 'nightkiln', 'compiled'))
  } catch {
    // It only saves time.
  }
}

function cacheFolder(environment: NodeJS.ProcessEnv): string {
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches')
  if (process.platform === 'win32') return environment['LOCALAPPDATA'] || join(homedir(), 'AppData', 'Local')
  return environment['XDG_CACHE_HOME'] || join(homedir(), '.cache')
}
