import { chmodSync, realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { makeDirectory } from '../platform/make-directory.ts'

/** Held until released or until the process dies in any way. */
export interface LeaderLock {
  /** Idempotent. */
  release(): void
}

/**
 * Lock files held by this process: asking again is answered without opening the file. Closing any descriptor of it outside
 * SQLite would drop the lock (measured, reliability D5).
 */
const heldHere = new Set<string>()

/**
 * Takes the exclusive lock that makes this process the only manager of its state directory. No other code of the holder may
 * open that file, not even to read it.
 * @returns null when another process (or this one) holds it
 */
export function tryAcquireLeaderLock(file: string): LeaderLock | null {
  makeDirectory(dirname(file))
  const path = join(realpathSync(dirname(file)), basename(file))
  if (heldHere.has(path)) return null
  const database = new Database(path, { timeout: 0 })
  try {
    chmodSync(path, 0o600)
    // In WAL mode readers would slip past an exclusive transaction.
    database.pragma('journal_mode = DELETE')
    database.exec('BEGIN EXCLUSIVE')
  } catch (thrown) {
    database.close()
    if (thrown instanceof Database.SqliteError && thrown.code.startsWith('SQLITE_BUSY')) return null
    throw thrown
  }
  heldHere.add(path)
  return {
    release: () => {
      if (!heldHere.delete(path)) return
      database.close()
    },
  }
}
