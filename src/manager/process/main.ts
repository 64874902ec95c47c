import { rmSync } from 'node:fs'
import { type StatePaths, stateDirectory, statePaths } from '../../config/paths.ts'
import { type ErrorRecord, toErrorRecord } from '../../domain/errors.ts'
import { writeFileAtomic } from '../../platform/atomic-file.ts'

// The manager: a detached process without stdio. Everything it needs is loaded inside the try, so that whatever is missing or
// broken (a native module above all) reaches the client that started it, as a sentence.
const commandUmask = process.umask(0o077)

/** Exit code of a candidate that could not start; its reason is in startup-error.json. */
const startupFailed = 70

async function main(): Promise<void> {
  const paths = statePaths(stateDirectory())
  try {
    rmSync(paths.startupErrorFile, { force: true })
    const { runManager } = await import('./run-manager.ts')
    await runManager(paths, commandUmask)
  } catch (error) {
    reportStartupError(paths, startupErrorRecord(error))
    process.exit(startupFailed)
  }
}

function startupErrorRecord(error: unknown): ErrorRecord {
  const code = (error as NodeJS.ErrnoException | null)?.code
  if (code !== 'ERR_DLOPEN_FAILED' && code !== 'MODULE_NOT_FOUND' && code !== 'ERR_MODULE_NOT_FOUND')
    return toErrorRecord(error)
  return {
    code: 'manager_unavailable',
    message: `a module of the manager cannot be loaded with Node ${process.version} (${process.execPath}): ${(error as Error).message.split('\n')[0]}`,
    remedy:
      'Run npm rebuild better-sqlite3 in the folder where Nightkiln is installed, with that same node; or reinstall it.',
  }
}

function reportStartupError(paths: StatePaths, record: ErrorRecord): void {
  try {
    writeFileAtomic(paths.startupErrorFile, JSON.stringify(record))
  } catch {
    // The state directory itself is the trouble: the client says that nothing became ready, doctor says why.
  }
}

await main()
