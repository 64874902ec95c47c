import type { Logger } from 'pino'
import { uuidv7 } from 'uuidv7'
import type { StatePaths } from '../../config/paths.ts'
import { version } from '../../config/version.ts'
import type { Clock } from '../../domain/clock.ts'
import { Ballast } from '../../persistence/ballast.ts'
import {
  captureFileIdentity,
  checkIdentityAtStart,
  isSameFile,
  raiseHighWater,
  readOrCreateIdentity,
} from '../../persistence/identity.ts'
import { openJobStore } from '../../persistence/open-job-store.ts'
import type { SqliteJobStore } from '../../persistence/sqlite-job-store.ts'
import { storageProblemOf } from '../../persistence/storage-errors.ts'
import { directoryIdentity } from '../../platform/directory-identity.ts'

/** The state that this manager leads. */
export interface OpenState {
  readonly store: SqliteJobStore
  readonly epoch: number
  readonly instanceId: string
  /** False: the database file was deleted or replaced since it was opened. */
  isStillOurs(): boolean
  /** Notes beside the database how far it has come, so that an older copy put in its place is recognised. */
  noteHighWater(): void
}

/** Opens the database, proves that it belongs here, and makes this manager the only one whose writes it takes. */
export function openState(paths: StatePaths, clock: Clock, log: Logger): OpenState {
  const store = openJobStore({
    databaseFile: paths.database,
    backupsDirectory: paths.backups,
    identityFile: paths.instanceFile,
    appVersion: version,
    clock,
  })
  checkIdentityAtStart(store, paths.instanceFile)
  const epoch = store.raiseEpoch(`${process.pid}`, clock.now())
  let identity = readOrCreateIdentity(store, paths.instanceFile, uuidv7(), clock.now(), directoryIdentity(paths.home))
  const opened = captureFileIdentity(paths.database)
  return {
    store,
    epoch,
    instanceId: identity.instanceId,
    isStillOurs: () => isSameFile(paths.database, opened),
    noteHighWater: () => {
      try {
        identity = raiseHighWater(paths.instanceFile, identity, store.lastEventId())
      } catch (error) {
        // A mark that is behind only makes the check at the next start weaker; a full disk must not end the manager.
        log.warn({ err: error }, 'the high-water mark could not be written')
      }
    },
  }
}

/** @param write something small that needs a sync: an empty commit would succeed on a disk that takes nothing. */
export function guardedStorage(store: SqliteJobStore, paths: StatePaths, write: () => void) {
  const ballast = new Ballast(paths.ballastFile)
  return {
    reopen: () => {
      store.reopen()
      write()
    },
    classify: (error: unknown) => storageProblemOf(error) ?? ('other' as const),
    releaseBallast: () => ballast.release(),
    restoreBallast: () => ballast.restore(),
  }
}
