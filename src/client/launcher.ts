import { spawn } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { isDefaultHome, statePaths } from '../config/paths.ts'
import { programFile } from '../config/program-files.ts'
import { version } from '../config/version.ts'
import { QueueError } from '../domain/errors.ts'
import { makeDirectory } from '../platform/make-directory.ts'
import { mayBeSameProcess, startTimeIfKnown } from '../platform/process-identity.ts'
import { findNode } from './find-node.ts'
import { gpuKeyVariables } from './gpu-key-variables.ts'
import { findInstalledManager, type InstalledManager } from './installed-manager.ts'
import { type LaunchLock, tryAcquireLaunchLock } from './launch-lock.ts'
import { readManagerFile } from './manager-file.ts'
import { baseEnvironment } from './submit-context.ts'
import { compareVersions } from './versions.ts'

/** Variables that only tests set; a manager started for a test must see them. */
const testVariables = ['NIGHTKILN_FAULT', 'NIGHTKILN_FAULT_DIRECTORY']

/** Epoch of the dead manager that a candidate was started to replace. */
export const insteadOfVariable = 'NIGHTKILN_INSTEAD_OF'

/** One candidate on its way to lead. */
export interface Launch {
  /** True once the candidate is known to be gone: it died, could not start, or found another leader. */
  hasEnded(): boolean
  /** Frees the launch lock, for others who launch. */
  release(): void
}

/**
 * @returns program and entry of the newest installed version that this state directory knows of (DESIGN §2, Versions); for a front
 * end that came without a manager, of the newest that is installed on this machine.
 * @throws QueueError manager_unavailable when nothing is installed
 */
export function newestCandidate(home: string): InstalledManager {
  const recorded = readManagerFile(statePaths(home).managerFile)
  if (!hasOwnManager()) return findInstalledManager(recorded)
  if (
    recorded !== null &&
    compareVersions(recorded.version, version) > 0 &&
    existsSync(recorded.entry) &&
    existsSync(recorded.node)
  ) {
    return { node: recorded.node, entry: recorded.entry, version: recorded.version }
  }
  return { node: findNode(), entry: ownManager(), version }
}

const ownManager = (): string => programFile('manager', 'process', 'main.js')

/** From source a build is missing, not an installation. */
function hasOwnManager(): boolean {
  return import.meta.url.endsWith('.ts') || existsSync(ownManager())
}

/** @returns whether something newer than a running manager would follow it: a front end without one may be newer than all that is installed. */
export function maySucceed(home: string, running: string): boolean {
  if (hasOwnManager()) return true
  try {
    return compareVersions(newestCandidate(home).version, running) > 0
  } catch {
    return false
  }
}

/**
 * Starts one candidate manager, detached: own session, no stdio, an environment without marks and without secrets but the keys of
 * GPU workers that are kept there, and init as its parent, because some clients kill their process tree by parent pid.
 * @param order `insteadOf`: epoch of a dead manager; the candidate leads only if nobody else has led since
 * @returns the launch, to be released once a manager is ready; null when another process is launching right now
 * @throws QueueError manager_unavailable when there is nothing to start
 */
export function launchCandidate(home: string, order: { readonly insteadOf?: number } = {}): Launch | null {
  const lock = lockLaunch(home)
  if (lock === null) return null
  try {
    rmSync(statePaths(home).startupErrorFile, { force: true })
    return { hasEnded: spawnDetached(newestCandidate(home), home, order.insteadOf), release: () => lock.release() }
  } catch (error) {
    lock.release()
    throw error
  }
}

/** @throws QueueError storage_refused when the state directory cannot be made or written */
function lockLaunch(home: string): LaunchLock | null {
  try {
    makeDirectory(home)
    return tryAcquireLaunchLock(statePaths(home).launchLock)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    // The lock is a courtesy; on a full disk the manager, which has a reserve, must be started without it.
    if (code === 'ENOSPC' || code === 'EDQUOT') return { release: () => undefined }
    throw new QueueError(
      'storage_refused',
      `the state directory ${home} cannot be made or written: ${(error as Error).message}`,
      { remedy: 'Make it writable for you, or set NIGHTKILN_HOME to a folder that is.', cause: error },
    )
  }
}

/** @returns whether the candidate has ended, as far as this process knows. */
function spawnDetached(candidate: InstalledManager, home: string, insteadOf: number | undefined): () => boolean {
  if (!existsSync(candidate.entry)) {
    throw new QueueError('manager_unavailable', `the manager's program ${candidate.entry} is missing`, {
      remedy: 'Reinstall Nightkiln (from source: npm run build).',
    })
  }
  const environment = {
    ...gpuKeyVariables(home),
    ...managerEnvironment(home),
    ...(insteadOf === undefined ? {} : { [insteadOfVariable]: String(insteadOf) }),
  }
  const options = { cwd: home, detached: true, env: environment, windowsHide: true } as const
  if (process.platform === 'win32') {
    const child = spawn(candidate.node, [candidate.entry], { ...options, stdio: 'ignore' })
    let ended = false
    child.once('error', () => (ended = true)).once('exit', () => (ended = true))
    child.unref()
    return () => ended
  }
  // The shell ends at once, so that init is the candidate's parent; before that it tells the candidate's pid.
  const script = '"$@" </dev/null >/dev/null 2>&1 & echo $!'
  const shell = spawn('/bin/sh', ['-c', script, 'sh', candidate.node, candidate.entry], {
    ...options,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let started: { pid: number; startTime: string } | 'gone' | null = null
  shell.once('error', () => {
    started = 'gone'
  })
  shell.stdout.setEncoding('utf8').once('data', (text: string) => {
    const startTime = startTimeIfKnown(Number(text))
    started = startTime === null ? 'gone' : { pid: Number(text), startTime }
  })
  // Neither the shell nor its pipe keeps this process alive.
  if (shell.stdout instanceof Socket) shell.stdout.unref()
  shell.unref()
  return () => started === 'gone' || (started !== null && !mayBeSameProcess(started))
}

/** @returns the environment of a manager: base names, no marks of an attempt, no secrets. */
export function managerEnvironment(home: string, environment: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const kept = baseEnvironment(environment)
  for (const name of testVariables) {
    const value = environment[name]
    if (value !== undefined) kept[name] = value
  }
  if (!isDefaultHome(home)) kept['NIGHTKILN_HOME'] = home
  return { ...kept, NIGHTKILN_PROCESS: 'manager' }
}
