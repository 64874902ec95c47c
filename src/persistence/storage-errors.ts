import Database from 'better-sqlite3'
import { type ErrorCode, QueueError } from '../domain/errors.ts'
import { EpochLostError } from '../domain/ports/epoch-lost-error.ts'

/** What went wrong below SQL, as far as it decides what to do next (reliability: D4, D15). */
export type StorageProblem = 'busy' | 'full' | 'io' | 'corrupt' | 'readonly' | 'other'

const codeOfProblem: Readonly<Record<StorageProblem, ErrorCode>> = {
  busy: 'storage_busy',
  full: 'storage_full',
  io: 'outcome_unknown',
  corrupt: 'storage_refused',
  readonly: 'storage_refused',
  other: 'internal',
}

const meaning: Readonly<Record<StorageProblem, string>> = {
  busy: 'the database is locked by another process',
  full: 'the disk of the state directory is full',
  io: 'reading or writing the database failed',
  corrupt: 'the database is damaged',
  readonly: 'the database cannot be written',
  other: 'the database refused a statement',
}

/** @returns the problem behind an error of the driver, or behind the QueueError made from one; null for any other value. */
export function storageProblemOf(thrown: unknown): StorageProblem | null {
  if (thrown instanceof QueueError && thrown.cause !== undefined) return storageProblemOf(thrown.cause)
  if (!(thrown instanceof Database.SqliteError)) return null
  const code = thrown.code
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED') || code === 'SQLITE_PROTOCOL') return 'busy'
  if (code === 'SQLITE_FULL') return 'full'
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') return 'corrupt'
  // A database that was moved or unlinked answers READONLY_DBMOVED: reopening decides what it is now.
  if (code.startsWith('SQLITE_IOERR') || code === 'SQLITE_READONLY_DBMOVED') return 'io'
  if (code.startsWith('SQLITE_READONLY') || code.startsWith('SQLITE_CANTOPEN') || code === 'SQLITE_PERM')
    return 'readonly'
  return 'other'
}

/** @returns a QueueError with the driver's error as cause; what is no error of the driver comes back as it is. */
export function toStorageError(thrown: unknown): unknown {
  if (thrown instanceof QueueError || thrown instanceof EpochLostError) return thrown
  const problem = storageProblemOf(thrown)
  if (problem === null || !(thrown instanceof Database.SqliteError)) return thrown
  return new QueueError(codeOfProblem[problem], `${meaning[problem]} (${thrown.code}: ${thrown.message})`, {
    details: { storage_problem: problem },
    cause: thrown,
  })
}
