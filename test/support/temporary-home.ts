import { chmodSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { statePaths } from '../../src/config/paths.ts'
import { createProcessLedger, type ProcessLedger } from './process-ledger.ts'

export interface TemporaryHome {
  /** The state directory, 0700, empty; a real path without links. */
  readonly home: string
  /** This process's environment with NIGHTKILN_HOME set and nothing else of Nightkiln in it. */
  readonly environment: Readonly<Record<string, string>>
  readonly ledger: ProcessLedger
}

export interface HomeOptions {
  /** Exact length of the path in bytes, for limits such as that of unix sockets. */
  readonly pathBytes?: number
  readonly extraEnvironment?: Readonly<Record<string, string>>
}

/** @returns the environment of this process without any NIGHTKILN_ variable and with the given home. */
export function environmentFor(home: string, extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const environment: Record<string, string> = {}
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && !name.startsWith('NIGHTKILN_') && !name.startsWith('VITEST')) environment[name] = value
  }
  return { ...environment, NIGHTKILN_HOME: home, ...extra }
}

function makeDirectory(pathBytes: number | undefined): { top: string; home: string } {
  const top = realpathSync(mkdtempSync(join(tmpdir(), 'nk-')))
  chmodSync(top, 0o700)
  if (pathBytes === undefined) return { top, home: top }
  const missing = pathBytes - Buffer.byteLength(top) - 1
  if (missing < 1 || missing > 255) throw new Error(`cannot make a path of ${pathBytes} bytes under ${top}`)
  const home = join(top, 'h'.repeat(missing))
  mkdirSync(home, { mode: 0o700 })
  return { top, home }
}

/** The directory of the manager's socket when the home's path is too long to hold it. */
function foreignSocketDirectory(home: string): string | null {
  try {
    const manager = JSON.parse(readFileSync(statePaths(home).managerFile, 'utf8')) as { socket?: string | null }
    const directory = dirname(manager.socket ?? home)
    return basename(directory).startsWith('nightkiln-') ? directory : null
  } catch {
    return null
  }
}

/** A state directory for tests that share one (beforeAll); the caller removes it. */
export function makeTemporaryHome(options: HomeOptions = {}): TemporaryHome & { remove(): Promise<void> } {
  const { top, home } = makeDirectory(options.pathBytes)
  const ledger = createProcessLedger(home)
  const remove = async (): Promise<void> => {
    await ledger.killAll()
    const sockets = foreignSocketDirectory(home)
    if (sockets !== null) rmSync(sockets, { recursive: true, force: true })
    rmSync(top, { recursive: true, force: true, maxRetries: 5 })
  }
  return { home, environment: environmentFor(home, options.extraEnvironment), ledger, remove }
}

/**
 * A state directory for the running test. When the test ends, everything that was started with it is killed and the
 * directory is removed; a test that must prove that nothing is left calls `ledger.assertNothingLeft()` itself.
 */
export function useTemporaryHome(options: HomeOptions = {}): TemporaryHome {
  const { remove, ...home } = makeTemporaryHome(options)
  onTestFinished(remove)
  return home
}
