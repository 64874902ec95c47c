import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface ProcessStat {
  readonly pid: number
  /** One letter as the kernel states it: R, S, T (stopped), Z (zombie) … */
  readonly state: string
  readonly parent: number
  readonly group: number
  readonly session: number
  /** User and system time in clock ticks (1/100 s). */
  readonly ticks: number
  /** Clock ticks since boot: pid and start time together name one process for ever. */
  readonly startTime: string
  readonly residentPages: number
}

/** @returns what /proc says of a process, or null when it is gone */
export function readStat(pid: number): ProcessStat | null {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return null
  }
  // The name is in parentheses and may hold spaces; fields are counted after the last one.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return {
    pid,
    state: fields[0] ?? '?',
    parent: Number(fields[1]),
    group: Number(fields[2]),
    session: Number(fields[3]),
    ticks: Number(fields[11]) + Number(fields[12]),
    startTime: fields[19] ?? '',
    residentPages: Number(fields[21]),
  }
}

/** True while the process runs; a zombie is dead. */
export function isAlive(pid: number): boolean {
  const stat = readStat(pid)
  return stat !== null && stat.state !== 'Z' && stat.state !== 'X'
}

export function allPids(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

/** @returns the command line of a process for messages, '' when it is gone */
export function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim()
  } catch {
    return ''
  }
}

function readNullSeparated(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8').split('\0')
  } catch {
    return []
  }
}

function instanceId(home: string): string | null {
  for (const name of ['instance.json', 'manager.json']) {
    const found = /"(?:instance_id|instanceId|id)"\s*:\s*"([^"]+)"/.exec(readNullSeparated(join(home, name)).join(''))
    if (found?.[1] !== undefined) return found[1]
  }
  return null
}

/**
 * @returns pids of living processes (not this one) that belong to a state directory: its path stands in a NIGHTKILN
 * variable or on the command line, or the mark of a job's processes names its instance.
 */
export function pidsOfHome(home: string): readonly number[] {
  const instance = instanceId(home)
  const names = (text: string): boolean =>
    text === home ||
    text.includes(`=${home}`) ||
    text.startsWith(`${home}/`) ||
    (instance !== null && text.endsWith(`=${instance}`))
  return allPids().filter((pid) => {
    if (pid === process.pid || !isAlive(pid)) return false
    const marked = readNullSeparated(`/proc/${pid}/environ`).some(
      (entry) => entry.startsWith('NIGHTKILN_') && names(entry),
    )
    return marked || readNullSeparated(`/proc/${pid}/cmdline`).some(names)
  })
}
