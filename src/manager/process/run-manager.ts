import { statfsSync } from 'node:fs'
import { isAtRest } from '../../client/heal.ts'
import { insteadOfVariable } from '../../client/launcher.ts'
import { readManagerFile } from '../../client/manager-file.ts'
import type { StatePaths } from '../../config/paths.ts'
import { readSettings } from '../../config/settings.ts'
import { version } from '../../config/version.ts'
import { systemClock } from '../../domain/clock.ts'
import type { ManagerFile } from '../../domain/wire/manager.ts'
import { Ballast } from '../../persistence/ballast.ts'
import { tryAcquireLeaderLock } from '../../persistence/leader-lock.ts'
import { recordDeath } from '../../platform/deaths-file.ts'
import { createFaultPoints } from '../runtime/fault-points.ts'
import { lead } from './lead.ts'
import { becomeLeader } from './leadership.ts'
import { ManagerRecord } from './manager-record.ts'
import { createRotatingLog } from './rotating-log.ts'
import { prepareStateDirectory } from './state-directory.ts'

/** Deaths older than this say nothing about the present. */
const deathMemoryMs = 24 * 3_600_000
const startupSpaceBytes = 512 * 1024

/**
 * Becomes the manager of a state directory and runs until it is stopped; returns early when another living manager leads.
 * @param commandUmask for the commands; the manager's own is narrower
 * @throws QueueError when the state cannot be used
 */
export async function runManager(paths: StatePaths, commandUmask: number): Promise<void> {
  prepareStateDirectory(paths)
  releaseBallastOnFullDisk(paths)
  const settings = readSettings(paths.configFile)
  const log = createRotatingLog(paths.managerLog, { level: settings.log_level, maxBytes: settings.log_max })
  const faults = createFaultPoints(process.env)
  const previous = readManagerFile(paths.managerFile)
  const lock = await becomeLeader({
    managerFile: paths.managerFile,
    tryLock: () => tryAcquireLeaderLock(paths.lockDatabase),
    probeTimeoutMs: settings.probe_timeout,
    probeCount: settings.probe_count,
    log,
    skipKill: faults.isSkipped('takeover.kill'),
  })
  if (lock === null) {
    log.debug('another manager leads')
    return
  }
  const record = new ManagerRecord(paths.managerFile, version)
  const last = readManagerFile(paths.managerFile) ?? previous
  if (isTooLate(last)) {
    // Whoever led meanwhile may have been stopped on purpose: healing must not undo that.
    log.debug('another manager led since the death that this one was started for')
    lock.release()
    return
  }
  if (last !== null && (last.state === 'leading' || last.state === 'starting')) {
    const now = systemClock.now()
    recordDeath(paths.deathsFile, { at: now, epoch: last.epoch, pid: last.pid }, now - deathMemoryMs)
  }
  record.write({ state: 'starting' })
  await lead({ paths, settings, log, faults, lock, record, commandUmask })
}

/** True for a candidate that was to replace a dead manager which has been replaced since. */
function isTooLate(last: ManagerFile | null): boolean {
  const insteadOf = process.env[insteadOfVariable]
  return insteadOf !== undefined && last !== null && (last.epoch !== Number(insteadOf) || isAtRest(last))
}

/** On a full disk not even the files of a starting manager could be written; what runs must be adopted all the same. */
function releaseBallastOnFullDisk(paths: StatePaths): void {
  const { bavail, bsize } = statfsSync(paths.home)
  if (bavail * bsize < startupSpaceBytes) new Ballast(paths.ballastFile).release()
}
