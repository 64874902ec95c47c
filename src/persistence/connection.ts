import { closeSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import { QueueError } from '../domain/errors.ts'
import { makeDirectory } from '../platform/make-directory.ts'

/** "NKLN" in ASCII: says that a SQLite file is ours. */
export const applicationId = 0x4e4b4c4e
/** Before it SQLite could corrupt a database when the WAL was reset (fixed in 3.51.3). */
const oldestSqlite = [3, 51, 3] as const
/** The process does nothing else meanwhile, so it stays below the time in which a probe of the manager must be answered. */
const busyTimeoutMs = 400

export interface ConnectionOptions {
  readonly databaseFile: string
  /** Ask macOS for a true flush to the medium; no effect elsewhere. */
  readonly fullfsync: boolean
}

/**
 * Opens (and creates, 0600) the database with every pragma set and read back: better-sqlite3 falls to `synchronous=NORMAL`
 * on each open but the first, which loses acknowledged rows at a power cut (reliability D1).
 * @throws QueueError storage_refused when the file is not ours, or a setting did not take
 */
export function openConnection(options: ConnectionOptions): Database.Database {
  createPrivately(options.databaseFile)
  const database = new Database(options.databaseFile, { timeout: busyTimeoutMs })
  try {
    assertOurs(database, options.databaseFile)
    assertSqliteVersion(database)
    configure(database, options.fullfsync)
    return database
  } catch (thrown) {
    database.close()
    throw thrown
  }
}

function createPrivately(file: string): void {
  makeDirectory(dirname(file))
  try {
    // Only a new file is opened here: closing a descriptor of an open database would drop its POSIX locks.
    closeSync(openSync(file, 'wx', 0o600))
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown
  }
}

function assertSqliteVersion(database: Database.Database): void {
  const version = database.prepare<[], string>('SELECT sqlite_version()').pluck().get() ?? '0'
  const parts = version.split('.').map(Number)
  const differing = oldestSqlite.findIndex((number, index) => parts[index] !== number)
  const isOlder = differing >= 0 && (parts[differing] ?? 0) < (oldestSqlite[differing] ?? 0)
  if (isOlder) {
    throw new QueueError(
      'storage_refused',
      `SQLite ${version} can corrupt databases; ${oldestSqlite.join('.')} or newer is needed`,
      {
        remedy: 'Install the pinned version of better-sqlite3 (npm ci).',
      },
    )
  }
}

function assertOurs(database: Database.Database, file: string): void {
  const id = readPragma(database, 'application_id', file)
  if (id === applicationId) return
  const tables = database.prepare<[], number>('SELECT count(*) FROM sqlite_schema').pluck().get() ?? 0
  if (id === 0 && tables === 0) return
  throw new QueueError(
    'storage_refused',
    `${file} is a database of another program (application id ${id}); it was left untouched`,
  )
}

function readPragma(database: Database.Database, name: string, file: string): unknown {
  try {
    return database.pragma(name, { simple: true })
  } catch (thrown) {
    if (thrown instanceof Database.SqliteError && /^SQLITE_(NOTADB|CORRUPT)/.test(thrown.code)) {
      throw new QueueError(
        'storage_refused',
        `${file} is not a readable SQLite database (${thrown.message}); it was left untouched`,
        {
          cause: thrown,
        },
      )
    }
    throw thrown
  }
}

function configure(database: Database.Database, fullfsync: boolean): void {
  set(database, 'journal_mode', 'wal', 'WAL')
  set(database, 'synchronous', 2, 'FULL')
  set(database, 'foreign_keys', 1, 'ON')
  set(database, 'busy_timeout', busyTimeoutMs, String(busyTimeoutMs))
  set(database, 'temp_store', 2, 'MEMORY')
  set(database, 'cache_size', -16_000, '-16000')
  // Fewer checkpoints under load: a page that changes often is written back once. 4000 pages are 16 MB.
  set(database, 'wal_autocheckpoint', 4_000, '4000')
  // A burst may grow the WAL; the file shrinks again at the next checkpoint.
  database.pragma('journal_size_limit = 67108864')
  if (fullfsync) {
    set(database, 'fullfsync', 1, 'ON')
    set(database, 'checkpoint_fullfsync', 1, 'ON')
  }
}

function set(database: Database.Database, pragma: string, expected: string | number, value: string): void {
  database.pragma(`${pragma} = ${value}`)
  const actual: unknown = database.pragma(pragma, { simple: true })
  if (actual === expected) return
  throw new QueueError(
    'storage_refused',
    `the database does not accept ${pragma} = ${value}: it answers ${String(actual)}`,
    {
      remedy: 'Keep the state directory on a local file system, not on a network or sync folder.',
    },
  )
}

/** Larger databases are not read through at a reopen: it would stop the manager for seconds. */
const quickCheckBytes = 128 * 1024 * 1024

/** @throws QueueError storage_refused when SQLite finds the database damaged */
export function verifyQuickly(database: Database.Database): void {
  const pages = Number(database.pragma('page_count', { simple: true }))
  const pageBytes = Number(database.pragma('page_size', { simple: true }))
  if (pages * pageBytes > quickCheckBytes) return
  const answer: unknown = database.pragma('quick_check(1)', { simple: true })
  if (answer !== 'ok') throw new QueueError('storage_refused', `the database is damaged: ${String(answer)}`)
}
