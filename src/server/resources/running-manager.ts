import { readManagerFile } from '../../client/manager-file.ts'
import { stateDirectory, statePaths } from '../../config/paths.ts'
import { mayBeSameProcess } from '../../platform/process-identity.ts'

/** @returns whether a manager leads at this moment, as far as can be told without starting one. */
export function isManagerRunning(): boolean {
  try {
    const file = readManagerFile(statePaths(stateDirectory()).managerFile)
    return file?.state === 'leading' && mayBeSameProcess({ pid: file.pid, startTime: file.start_time })
  } catch {
    // No usable state directory: whoever reads a job is told why.
    return false
  }
}
