import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { statePaths } from '../config/paths.ts'
import { version } from '../config/version.ts'
import { QueueError } from '../domain/errors.ts'
import { findNode } from './find-node.ts'
import { type LaunchLock, tryAcquireLaunchLock } from './launch-lock.ts'
import { readManagerFile } from './manager-file.ts'
import { baseEnvironment } from './submit-context.ts'
import { compareVersions } from './versions.ts'

/** Variables that only tests set; a manager started for a test must see them. */
const testVariables = ['NIGHTKILN_FAULT', 'NIGHTKILN_FAULT_DIRECTORY']

export interface Candidate {
  readonly node: string
  readonly entry: string
}

/** @returns program and entry of the newest installed version that this state directory knows of (DESIGN §2, Versions). */
export function newestCandidate(home: string): Candidate {
  const recorded = readManagerFile(statePaths(home).managerFile)
  if (recorded !== null && compareVersions(recorded.version, version) > 0 && existsSync(recorded.entry) && existsSync(recorded.node)) {
    return { node: recorded.node, entry: recorded.entry }
  }
  return { node: findNode(), entry: managerEntry() }
}

function managerEntry(): string {
  const here = fileURLToPath(new URL('../manager/process/main.js', import.meta.url))
  // From source the built manager is started: worker and manager processes always run what ships.
  return import.meta.url.endsWith('.ts') ? here.replace(/([\\/])src([\\/]manager[\\/])/, '$1dist$2') : here
}

/**
 * Starts one candidate manager, detached: own session, no stdio, an environment without marks and secrets, and init as its
 * parent, because some clients kill their process tree by parent pid.
 * @returns the launch lock, to be released once a manager is ready; null when another process is launching right now
 * @throws QueueError manager_unavailable when there is nothing to start
 */
export function launchCandidate(home: string): LaunchLock | null {
  mkdirSync(home, { recursive: true, mode: 0o700 })
  const lock = tryAcquireLaunchLock(statePaths(home).launchLock)
  if (lock === null) return null
  try {
    rmSync(statePaths(home).startupErrorFile, { force: true })
    spawnDetached(newestCandidate(home), home)
  } catch (error) {
    lock.release()
    throw error
  }
  return lock
}

function spawnDetached(candidate: Candidate, home: string): void {
  if (!existsSync(candidate.entry)) {
    throw new QueueError('manager_unavailable', `the manager's program ${candidate.entry} is missing`, {
      remedy: 'Reinstall Nightkiln (from source: npm run build).',
    })
  }
  const environment = managerEnvironment(home)
  const options = { cwd: home, detached: true, env: environment, stdio: 'ignore', windowsHide: true } as const
  const child =
    process.platform === 'win32'
      ? spawn(candidate.node, [candidate.entry], options)
      : spawn('/bin/sh', ['-c', '"$@" </dev/null >/dev/null 2>&1 &', 'sh', candidate.node, candidate.entry], options)
  // A failed spawn shows as a manager that never becomes ready; the caller's deadline says so.
  child.on('error', () => undefined)
  child.unref()
}

/** @returns the environment of a manager: base names, no marks of an attempt, no secrets. */
export function managerEnvironment(home: string, environment: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const kept = baseEnvironment(environment)
  for (const name of testVariables) {
    const value = environment[name]
    if (value !== undefined) kept[name] = value
  }
  // Only an explicit home is passed on, so that the configuration directory is found the same way.
  if (environment['NIGHTKILN_HOME'] !== undefined && environment['NIGHTKILN_HOME'] !== '') kept['NIGHTKILN_HOME'] = home
  return { ...kept, NIGHTKILN_PROCESS: 'manager' }
}
