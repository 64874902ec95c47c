import { existsSync, statSync } from 'node:fs'
import type { Clock } from '../domain/clock.ts'
import { openConnection } from './connection.ts'
import { refuseMissingDatabase } from './identity.ts'
import { type Migration, migrate, readMigrations } from './migrator.ts'
import { SqliteJobStore } from './sqlite-job-store.ts'
import { toStorageError } from './storage-errors.ts'

export interface OpenJobStoreOptions {
  readonly databaseFile: string
  /** Where the copy goes that is made before a migration. */
  readonly backupsDirectory: string
  readonly appVersion: string
  readonly clock: Clock
  /** Default: true on macOS, where plain fsync does not reach the medium. */
  readonly fullfsync?: boolean | undefined
  /** The instance marker: with it, a missing or emptied database is refused before a new one is created. */
  readonly identityFile?: string | undefined
  /** Default: those of this program. */
  readonly migrations?: readonly Migration[] | undefined
}

/**
 * Opens the database, brings its schema up to date and prepares every statement. Writes are refused until `raiseEpoch`.
 * @throws QueueError storage_refused (not ours, damaged, emptied), schema_too_new, storage_busy, storage_full
 */
export function openJobStore(options: OpenJobStoreOptions): SqliteJobStore {
  const { databaseFile, identityFile } = options
  const migrations = options.migrations ?? readMigrations()
  const fullfsync = options.fullfsync ?? process.platform === 'darwin'
  const connect = () => {
    if (identityFile !== undefined && isMissingOrEmpty(databaseFile)) refuseMissingDatabase(databaseFile, identityFile)
    const database = openConnection({ databaseFile, fullfsync })
    try {
      migrate(database, migrations, {
        backupsDirectory: options.backupsDirectory,
        appVersion: options.appVersion,
        now: options.clock.now(),
      })
      return database
    } catch (thrown) {
      database.close()
      throw thrown
    }
  }
  try {
    return new SqliteJobStore(connect, options.clock)
  } catch (thrown) {
    throw toStorageError(thrown)
  }
}

function isMissingOrEmpty(file: string): boolean {
  // A database whose content is still in the WAL alone may have an empty main file.
  return !existsSync(file) || (statSync(file).size === 0 && !existsSync(`${file}-wal`))
}
