import { readdirSync, readFileSync } from 'node:fs'
import { readManagerFile } from '../../client/manager-file.ts'
import { statePaths } from '../../config/paths.ts'
import { mayBeSameProcess } from '../../platform/process-identity.ts'

/**
 * @returns pids of all processes but this one that carry the demo's state directory in their environment. Where there is no
 * /proc only the manager can be looked for.
 */
export function processesWithHome(home: string): number[] {
  let entries: string[]
  try {
    entries = readdirSync('/proc')
  } catch {
    const manager = readManagerFile(statePaths(home).managerFile)
    return manager !== null && mayBeSameProcess({ pid: manager.pid, startTime: manager.start_time })
      ? [manager.pid]
      : []
  }
  const wanted = `NIGHTKILN_HOME=${home}\0`
  return entries
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => pid !== process.pid && carries(pid, wanted))
}

function carries(pid: number, wanted: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(wanted)
  } catch (error) {
    // Without a free descriptor it cannot be told: then it is not counted as gone.
    return ['EMFILE', 'ENFILE', 'ENOMEM'].includes((error as NodeJS.ErrnoException).code ?? '')
  }
}
