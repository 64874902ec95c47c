import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { statePaths } from '../../src/config/paths.ts'
import { type ManagerFile, managerFile } from '../../src/domain/wire/manager.ts'
import { isAlive, readStat } from './proc.ts'
import { distManager } from './repository.ts'
import { waitUntil } from './wait-until.ts'

/** @returns manager.json of a state directory, or null when there is none (yet) */
export function readManagerFile(home: string): ManagerFile | null {
  let text: string
  try {
    text = readFileSync(statePaths(home).managerFile, 'utf8')
  } catch {
    return null
  }
  return managerFile.parse(JSON.parse(text))
}

/** True when manager.json names a process that lives and is the one that wrote it. */
export function isManagerAlive(file: ManagerFile): boolean {
  const stat = readStat(file.pid)
  return stat !== null && isAlive(file.pid) && stat.startTime === file.start_time
}

/** Waits until a living manager leads and its socket is known. @param notEpoch an epoch that has ended */
export function waitForManager(
  home: string,
  options: { notEpoch?: number; timeoutMs?: number } = {},
): Promise<ManagerFile> {
  return waitUntil(
    () => {
      const file = readManagerFile(home)
      if (file === null || file.state !== 'leading' || file.socket === null) return null
      if (file.epoch === options.notEpoch || !isManagerAlive(file)) return null
      return file
    },
    { timeoutMs: options.timeoutMs ?? 30_000, what: `a ready manager in ${home}` },
  )
}

/** Starts a manager as the launcher does, but as a child whose end the test sees. */
export function startManager(environment: Readonly<Record<string, string>>, entry = distManager): ChildProcess {
  const child = spawn(process.execPath, [entry], { env: environment, detached: true, stdio: 'ignore', cwd: '/' })
  child.unref()
  return child
}

/** `kill -9` of the manager named in manager.json; returns when it is gone. @returns its last file */
export async function killManager(home: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<ManagerFile> {
  const file = readManagerFile(home)
  if (file === null) throw new Error(`no manager.json in ${home}`)
  if (!isManagerAlive(file)) throw new Error(`the manager (pid ${file.pid}) of ${home} is not running`)
  process.kill(file.pid, signal)
  if (signal === 'SIGKILL' || signal === 'SIGTERM') {
    await waitUntil(() => !isManagerAlive(file), { what: `manager ${file.pid} to be gone after ${signal}` })
  }
  return file
}

/** @returns the kernel's state letter of the manager: 'T' while stopped; null when it is gone */
export function managerState(file: ManagerFile): string | null {
  return isManagerAlive(file) ? (readStat(file.pid)?.state ?? null) : null
}
