import type { ProcessTable } from './process-table.ts'
import { createLinuxProcessTable } from './process-table-linux.ts'
import { createPsProcessTable } from './process-table-ps.ts'

/** @returns the process table of this system. */
export function createSystemProcessTable(platform: NodeJS.Platform = process.platform): ProcessTable {
  if (platform === 'linux') return createLinuxProcessTable()
  if (platform === 'win32') return { list: () => [], find: findByPid, marksOf: () => null }
  return createPsProcessTable()
}

/** Windows, untested: there is neither a start time nor a mark to read without native code; only the pid is known. */
function findByPid(pid: number): ReturnType<ProcessTable['find']> {
  try {
    process.kill(pid, 0)
    return { pid, parentPid: 0, groupId: 0, sessionId: 0, startTime: 'unknown' }
  } catch {
    return null
  }
}
