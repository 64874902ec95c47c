import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { QueueError } from '../../../src/domain/errors.ts'
import { type Migration, readMigrations } from '../../../src/persistence/migrator.ts'
import { jobIdOf, newJob, start, submit } from '../../conformance/support/jobs.ts'
import { useStateDirectory } from './support.ts'

const known = readMigrations()

function later(sql: string): Migration[] {
  const version = known.length + 1
  return [...known, { version, name: 'later', sql, checksum: `checksum-${sql}`, minAppVersion: '0.9.0' }]
}

function refusal(work: () => unknown): QueueError {
  try {
    work()
  } catch (thrown) {
    if (thrown instanceof QueueError) return thrown
    throw thrown
  }
  throw new Error('nothing was refused')
}

describe('migrations', () => {
  test('a new database has the whole ledger, and needs no backup', () => {
    const { open, databaseFile, backupsDirectory } = useStateDirectory()
    open().close()
    const database = new Database(databaseFile, { readonly: true })
    const ledger = database.prepare('SELECT version, name, checksum, min_app_version FROM schema_migration').all()
    expect(ledger).toEqual(
      known.map(({ version, name, checksum, minAppVersion }) => ({
        version,
        name,
        checksum,
        min_app_version: minAppVersion,
      })),
    )
    expect(database.pragma('user_version', { simple: true })).toBe(known.length)
    expect(database.pragma('integrity_check', { simple: true })).toBe('ok')
    expect(database.pragma('foreign_key_check')).toEqual([])
    database.close()
    expect(() => readdirSync(backupsDirectory)).toThrow('ENOENT')
  })

  test('a second open changes nothing', () => {
    const { open, databaseFile } = useStateDirectory()
    const store = open()
    store.raiseEpoch('first', start)
    submit(store, newJob(1))
    store.close()
    expect(open().readJob(jobIdOf(1))?.state).toBe('queued')
    const database = new Database(databaseFile, { readonly: true })
    expect(database.prepare('SELECT count(*) FROM schema_migration').pluck().get()).toBe(known.length)
    database.close()
  })

  test('a pending migration is applied after a private backup that holds all rows', () => {
    const { open, backupsDirectory } = useStateDirectory()
    const store = open()
    store.raiseEpoch('first', start)
    submit(store, newJob(1))
    const migrations = later('CREATE TABLE later (id INTEGER PRIMARY KEY) STRICT;')
    expect(open({ migrations }).readJob(jobIdOf(1))).not.toBeNull()
    const [backup, ...others] = readdirSync(backupsDirectory)
    expect(others).toEqual([])
    const file = join(backupsDirectory, backup ?? '')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(statSync(backupsDirectory).mode & 0o777).toBe(0o700)
    const copy = new Database(file, { readonly: true })
    expect(copy.prepare('SELECT id FROM job').pluck().all()).toEqual([jobIdOf(1)])
    expect(copy.prepare('SELECT max(version) FROM schema_migration').pluck().get()).toBe(known.length)
    copy.close()
  })

  test('a migration that fails half-way leaves nothing behind', () => {
    const { open, databaseFile } = useStateDirectory()
    open().close()
    const halfway = later('CREATE TABLE half (id INTEGER PRIMARY KEY) STRICT; INSERT INTO no_such_table VALUES (1);')
    expect(() => open({ migrations: halfway })).toThrow('no_such_table')
    const database = new Database(databaseFile, { readonly: true })
    expect(database.prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'half'").pluck().get()).toBe(0)
    expect(database.prepare('SELECT count(*) FROM schema_migration').pluck().get()).toBe(known.length)
    expect(database.pragma('user_version', { simple: true })).toBe(known.length)
    database.close()
    expect(open({ migrations: later('CREATE TABLE whole (id INTEGER PRIMARY KEY) STRICT;') }).lastEventId()).toBe(0)
  })

  test('a newer schema is refused with both versions named, and left untouched', () => {
    const { open, databaseFile } = useStateDirectory()
    open({ migrations: later('CREATE TABLE later (id INTEGER PRIMARY KEY) STRICT;') }).close()
    const size = statSync(databaseFile).size
    const error = refusal(() => open({ appVersion: '0.1.7' }))
    expect(error.code).toBe('schema_too_new')
    expect(error.message).toContain(`schema ${known.length + 1}`)
    expect(error.message).toContain('0.9.0')
    expect(error.message).toContain('0.1.7')
    expect(error.message).toContain(`schema ${known.length}`)
    expect(statSync(databaseFile).size).toBe(size)
  })

  test('a newer user_version alone is refused too', () => {
    const { open, databaseFile } = useStateDirectory()
    open().close()
    const database = new Database(databaseFile)
    database.pragma('user_version = 99')
    database.close()
    expect(refusal(() => open()).code).toBe('schema_too_new')
  })

  test('a migration applied with other content is refused', () => {
    const { open, databaseFile } = useStateDirectory()
    open().close()
    const database = new Database(databaseFile)
    database.exec("UPDATE schema_migration SET checksum = 'tampered' WHERE version = 1")
    database.close()
    const error = refusal(() => open())
    expect(error.code).toBe('storage_refused')
    expect(error.message).toContain('migration 1')
  })
})
