import { createHash } from 'node:crypto'
import { chmodSync, closeSync, fsyncSync, openSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Database } from 'better-sqlite3'
import { QueueError } from '../domain/errors.ts'
import { makeDirectory } from '../platform/make-directory.ts'
import { applicationId } from './connection.ts'

export interface Migration {
  readonly version: number
  readonly name: string
  readonly sql: string
  readonly checksum: string
  /** Oldest Nightkiln that can work with the schema after this migration. */
  readonly minAppVersion: string
}

export interface MigrationOptions {
  readonly backupsDirectory: string
  readonly appVersion: string
  readonly now: number
}

interface LedgerRow {
  version: number
  name: string
  checksum: string
  min_app_version: string
}

const migrationsDirectory = fileURLToPath(new URL('./migrations/', import.meta.url))

/** @returns the migrations of a folder in order; files are named `0001_name.sql` and begin with `-- min_app_version: x.y.z`. */
export function readMigrations(directory: string = migrationsDirectory): readonly Migration[] {
  return readdirSync(directory)
    .filter((file) => /^\d{4}_[a-z0-9_]+\.sql$/.test(file))
    .sort()
    .map((file, index) => {
      const sql = readFileSync(join(directory, file), 'utf8').replaceAll('\r\n', '\n')
      const version = Number(file.slice(0, 4))
      const minAppVersion = /^-- min_app_version: (\S+)$/m.exec(sql)?.[1]
      if (version !== index + 1 || minAppVersion === undefined) {
        throw new QueueError('internal', `migration ${file} is out of order or names no min_app_version`)
      }
      return {
        version,
        name: file.slice(5, -4),
        sql,
        checksum: createHash('sha256').update(sql).digest('hex'),
        minAppVersion,
      }
    })
}

/**
 * Brings the schema to the newest known version: all pending migrations in one transaction, an online backup before.
 * @returns how many migrations were applied
 * @throws QueueError schema_too_new, storage_refused (the ledger differs from what this program would have done)
 */
export function migrate(database: Database, migrations: readonly Migration[], options: MigrationOptions): number {
  const ledger = readLedger(database)
  assertKnown(database, ledger, migrations, options.appVersion)
  if (ledger.length === migrations.length) return 0
  if (ledger.length > 0) backUp(database, ledger.length, migrations.length, options)
  database
    .transaction(() => {
      // Read again under the lock: another program may have migrated meanwhile.
      const current = readLedger(database)
      assertKnown(database, current, migrations, options.appVersion)
      for (const migration of migrations.slice(current.length)) apply(database, migration, options.now)
      const broken = database.pragma('foreign_key_check') as unknown[]
      if (broken.length > 0) {
        throw new QueueError(
          'storage_refused',
          `the migration would leave ${broken.length} rows without their parent; nothing was changed`,
        )
      }
    })
    .immediate()
  database.pragma('wal_checkpoint(TRUNCATE)')
  return migrations.length - ledger.length
}

function readLedger(database: Database): LedgerRow[] {
  const exists = database
    .prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migration'")
    .get()
  if (exists === undefined) return []
  return database
    .prepare<[], LedgerRow>('SELECT version, name, checksum, min_app_version FROM schema_migration ORDER BY version')
    .all()
}

function assertKnown(
  database: Database,
  ledger: readonly LedgerRow[],
  migrations: readonly Migration[],
  appVersion: string,
): void {
  const stored = Math.max(ledger.at(-1)?.version ?? 0, Number(database.pragma('user_version', { simple: true })))
  if (stored > migrations.length) {
    const writer = ledger.at(-1)?.min_app_version ?? 'unknown'
    throw new QueueError(
      'schema_too_new',
      `the database has schema ${stored}, which needs Nightkiln ${writer} or newer; this is Nightkiln ${appVersion}, which knows schema ${migrations.length}`,
      {
        details: {
          database_schema: stored,
          known_schema: migrations.length,
          min_app_version: writer,
          app_version: appVersion,
        },
      },
    )
  }
  for (const [index, row] of ledger.entries()) {
    const migration = migrations[index]
    if (row.version !== index + 1 || migration === undefined) {
      throw new QueueError('storage_refused', `the schema ledger has no migration ${index + 1} but has ${row.version}`)
    }
    if (row.checksum !== migration.checksum) {
      throw new QueueError(
        'storage_refused',
        `migration ${row.version} (${row.name}) was applied with other content: checksum ${row.checksum.slice(0, 12)}, expected ${migration.checksum.slice(0, 12)}`,
        { remedy: 'Install an official release, or put back a backup made by it.' },
      )
    }
  }
}

function apply(database: Database, migration: Migration, now: number): void {
  database.exec(migration.sql)
  database.exec(
    `CREATE TABLE IF NOT EXISTS schema_migration (
       version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at INTEGER NOT NULL,
       min_app_version TEXT NOT NULL
     ) STRICT`,
  )
  database
    .prepare(
      'INSERT INTO schema_migration (version, name, checksum, applied_at, min_app_version) VALUES (?, ?, ?, ?, ?)',
    )
    .run(migration.version, migration.name, migration.checksum, now, migration.minAppVersion)
  database.pragma(`user_version = ${migration.version}`)
  database.pragma(`application_id = ${applicationId}`)
}

/** VACUUM INTO reads through SQLite, so the copy holds what is still in the WAL. */
function backUp(database: Database, from: number, to: number, options: MigrationOptions): void {
  makeDirectory(options.backupsDirectory)
  const target = join(options.backupsDirectory, `queue-schema-${from}-before-${to}-${options.now}.db`)
  const partial = `${target}.partial`
  rmSync(partial, { force: true })
  database.prepare('VACUUM INTO ?').run(partial)
  chmodSync(partial, 0o600)
  const descriptor = openSync(partial, 'r')
  fsyncSync(descriptor)
  closeSync(descriptor)
  renameSync(partial, target)
}
