import { readFileSync } from 'node:fs'

/** What a process was doing at one moment. */
export interface ProcessActivity {
  /** True when it could run, whether or not it had a processor. */
  readonly runnable: boolean
  /** Processor time used so far by all its threads, ms; steps of 10 ms. */
  readonly cpuMs: number
}

/** USER_HZ: what /proc counts in, whatever the kernel's own tick is. */
const ticksPerSecond = 100

/** @returns what the process is doing; null when it is gone or where the system does not tell (not on Linux). */
export function readProcessActivity(pid: number): ProcessActivity | null {
  if (process.platform !== 'linux') return null
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const ticks = Number(fields[11]) + Number(fields[12])
    return { runnable: fields[0] === 'R', cpuMs: (ticks * 1_000) / ticksPerSecond }
  } catch {
    return null
  }
}
