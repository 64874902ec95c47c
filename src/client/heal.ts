import { setTimeout as delay } from 'node:timers/promises'
import { statePaths } from '../config/paths.ts'
import type { ManagerFile } from '../domain/wire/manager.ts'
import { readDeaths, recordHealingStopped } from '../platform/deaths-file.ts'
import { mayBeSameProcess } from '../platform/process-identity.ts'
import { launchCandidate } from './launcher.ts'
import { readManagerFile } from './manager-file.ts'

/** Deaths within the window after which nobody restarts the manager by himself any more (DESIGN §10.21). */
export const deathLimit = 5
export const deathWindowMs = 10 * 60_000

/** Stopped on purpose, or idle: nothing waits. One that handed over to a successor that never came is replaced too. */
export function isAtRest({ state }: Pick<ManagerFile, 'state'>): boolean {
  return state === 'stopped' || state === 'idle'
}

/**
 * Starts the next manager when the last one died while work was unfinished: called by a command's runner at its end, when no
 * client may be there to do it. A manager that was stopped on purpose stays stopped.
 * @returns an exit code: 0 also when there was nothing to do
 */
export async function heal(home: string, now: number = Date.now()): Promise<number> {
  const paths = statePaths(home)
  const file = readManagerFile(paths.managerFile)
  if (file === null || isAtRest(file)) return 0
  if (mayBeSameProcess({ pid: file.pid, startTime: file.start_time })) return 0
  const recorded = readDeaths(paths.deathsFile).deaths.filter((death) => death.at > now - deathWindowMs)
  // This one is recorded by the manager that follows.
  const isRecorded =
    file.state === 'handover' || recorded.some((death) => death.pid === file.pid && death.epoch === file.epoch)
  const recent = recorded.length + (isRecorded ? 0 : 1)
  if (recent >= deathLimit) {
    recordHealingStopped(paths.deathsFile, now, `the manager died ${recent} times within 10 minutes`)
    return 0
  }
  if (recent > 2) await delay(Math.min(5_000, 100 * 2 ** recent))
  launchCandidate(home, { insteadOf: file.epoch })?.release()
  return 0
}
