import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { uptime } from 'node:os'

/** Enough to know a process again: pids are reused, start times within a boot are not. */
export interface ProcessIdentity {
  readonly pid: number
  /** As the kernel states it: clock ticks since boot on Linux, text of `ps` elsewhere. */
  readonly startTime: string
}

let knownBootId: string | undefined

/** @returns an id that changes with every boot of the machine. */
export function bootId(): string {
  knownBootId ??= readBootId()
  return knownBootId
}

function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    try {
      return execFileSync('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'], { encoding: 'utf8' }).trim()
    } catch {
      // Windows: the boot moment in minutes; rounding hides the drift between two readings.
      return `boot-${Math.round((Date.now() / 1000 - uptime()) / 60)}`
    }
  }
}

/** What stands for a start time that could not be read. */
const unknownStart = 'unknown'

/**
 * @returns the start time of a live process; null when it is gone, a zombie (a container's init may not reap) or another
 * user's
 * @throws Error when it cannot be told now (no free descriptor, an unreadable /proc): that must never pass for dead
 */
export function processStartTime(pid: number): string | null {
  if (process.platform === 'linux') return startTimeFromProc(pid)
  if (process.platform === 'win32') return isSignallable(pid) ? unknownStart : null
  return startTimeFromPs(pid)
}

/** @returns true when a process with this pid exists and is this user's. */
function isSignallable(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** @returns true when an error of reading /proc/<pid> says that no process of this user has the pid. */
export function saysNoSuchProcess(error: unknown, pid: number): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code
  if (code === 'ENOENT' || code === 'ESRCH') return true
  // Where other users' processes are hidden. A process of this user would be readable, unless nothing in /proc is.
  return (code === 'EACCES' || code === 'EPERM') && !isSignallable(pid)
}

function startTimeFromProc(pid: number): string | null {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch (error) {
    // A missing /proc says nothing of any process.
    if (saysNoSuchProcess(error, pid) && (existsSync('/proc/self') || !isSignallable(pid))) return null
    throw error
  }
  // The command name may hold spaces and parentheses; the fields after the last ')' are fixed.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null)
}

function startTimeFromPs(pid: number): string | null {
  try {
    const line = execFileSync('/bin/ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim()
    return line === '' || line.startsWith('Z') ? null : line.slice(line.indexOf(' ')).trim()
  } catch (error) {
    // ps ran and found none; anything else (it could not be started) tells nothing.
    if ((error as { status?: number | null }).status === 1) return null
    throw error
  }
}

/** @returns the start time, null when gone, `unknown` when it cannot be told now. Never throws. */
export function startTimeIfKnown(pid: number): string | null {
  try {
    return processStartTime(pid)
  } catch {
    return unknownStart
  }
}

/** True when that very process surely still lives: what may be signalled. */
export function isSameProcess(identity: ProcessIdentity): boolean {
  const startTime = startTimeIfKnown(identity.pid)
  // Two unknowns prove nothing, but on Windows nothing more can be known.
  return startTime === identity.startTime && (startTime !== unknownStart || process.platform === 'win32')
}

/** False when that process is surely gone: what cannot be told counts as living. */
export function mayBeSameProcess(identity: ProcessIdentity): boolean {
  const startTime = startTimeIfKnown(identity.pid)
  if (startTime === null) return false
  return startTime === identity.startTime || startTime === unknownStart || identity.startTime === unknownStart
}

/** @returns the identity of this process. */
export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, startTime: startTimeIfKnown(process.pid) ?? unknownStart }
}
