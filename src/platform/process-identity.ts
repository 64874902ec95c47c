import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
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

/** @returns the start time of a live process; null when it is gone or a zombie (a container's init may not reap). */
export function processStartTime(pid: number): string | null {
  if (process.platform === 'linux') {
    let stat: string
    try {
      stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    } catch {
      return null
    }
    // The command name may hold spaces and parentheses; the fields after the last ')' are fixed.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null)
  }
  if (process.platform === 'win32') {
    try {
      process.kill(pid, 0)
      return 'unknown'
    } catch {
      return null
    }
  }
  try {
    const line = execFileSync('/bin/ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim()
    return line === '' || line.startsWith('Z') ? null : line.slice(line.indexOf(' ')).trim()
  } catch {
    return null
  }
}

/** True when that very process still lives. */
export function isSameProcess(identity: ProcessIdentity): boolean {
  return processStartTime(identity.pid) === identity.startTime
}

/** @returns the identity of this process. */
export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, startTime: processStartTime(process.pid) ?? 'unknown' }
}
