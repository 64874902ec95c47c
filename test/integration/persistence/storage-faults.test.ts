import { statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, test, vi } from 'vitest'
import { QueueError } from '../../../src/domain/errors.ts'
import { Ballast, ballastBytes } from '../../../src/persistence/ballast.ts'
import type { SqliteJobStore } from '../../../src/persistence/sqlite-job-store.ts'
import { storageProblemOf, toStorageError } from '../../../src/persistence/storage-errors.ts'
import { jobIdOf, newJob, start, submit } from '../../conformance/support/jobs.ts'
import { useStateDirectory } from './support.ts'

function driverError(code: string): Error {
  return new Database.SqliteError('told by SQLite', code)
}

/** @returns the store and its own connection, on which limits can be set. */
function captureConnection(open: () => SqliteJobStore): { store: SqliteJobStore; database: Database.Database } {
  const opened: Database.Database[] = []
  const pragma = Database.prototype.pragma
  const spy = vi.spyOn(Database.prototype, 'pragma').mockImplementation(function (this: Database.Database, ...call) {
    opened.push(this)
    return Reflect.apply(pragma, this, call)
  })
  const store = open()
  spy.mockRestore()
  const [database] = opened
  if (database === undefined) throw new Error('no connection was opened')
  return { store, database }
}

describe('storage errors', () => {
  test.each([
    ['SQLITE_BUSY', 'busy', 'storage_busy'],
    ['SQLITE_BUSY_SNAPSHOT', 'busy', 'storage_busy'],
    ['SQLITE_LOCKED', 'busy', 'storage_busy'],
    ['SQLITE_FULL', 'full', 'storage_full'],
    ['SQLITE_IOERR_FSYNC', 'io', 'outcome_unknown'],
    ['SQLITE_IOERR_WRITE', 'io', 'outcome_unknown'],
    ['SQLITE_READONLY_DBMOVED', 'io', 'outcome_unknown'],
    ['SQLITE_CORRUPT_VTAB', 'corrupt', 'storage_refused'],
    ['SQLITE_NOTADB', 'corrupt', 'storage_refused'],
    ['SQLITE_READONLY', 'readonly', 'storage_refused'],
    ['SQLITE_CANTOPEN', 'readonly', 'storage_refused'],
    ['SQLITE_CONSTRAINT_CHECK', 'other', 'internal'],
  ])('%s is %s and reaches users as %s', (driver, problem, code) => {
    expect(storageProblemOf(driverError(driver))).toBe(problem)
    const error = toStorageError(driverError(driver))
    expect(error).toBeInstanceOf(QueueError)
    expect(error).toMatchObject({ code })
    expect(storageProblemOf(error)).toBe(problem)
  })

  test('what is no error of the driver stays what it is', () => {
    const error = new TypeError('a defect')
    expect(toStorageError(error)).toBe(error)
    expect(storageProblemOf(error)).toBeNull()
    expect(storageProblemOf(new QueueError('invalid_input', 'bad'))).toBeNull()
  })

  test('a refused statement undoes its operation alone', () => {
    const { open } = useStateDirectory()
    const store = open()
    store.raiseEpoch('test', start)
    store.atomically(() => {
      submit(store, newJob(1))
      expect(() => store.submitJob(newJob(1, { idempotencyKey: 'other' }))).toThrow(
        expect.objectContaining({ code: 'internal', message: expect.stringContaining('UNIQUE') }),
      )
      expect(store.isTransactionOpen()).toBe(true)
      submit(store, newJob(2))
    })
    expect(store.readStatistics(start).jobs.queued).toBe(2)
  })

  test('a full disk undoes the whole group, says so, and work goes on when there is room again', () => {
    const { open } = useStateDirectory()
    const { store, database } = captureConnection(open)
    store.raiseEpoch('test', start)
    const pages = Number(database.pragma('page_count', { simple: true }))
    database.pragma(`max_page_count = ${pages + 30}`)
    const group = () =>
      store.atomically(() => {
        submit(store, newJob(1))
        expect(() => store.submitJob(newJob(2, { params: { blob: 'x'.repeat(1_000_000) } }))).toThrow(
          expect.objectContaining({ code: 'storage_full' }),
        )
        expect(store.isTransactionOpen(), 'SQLite itself rolled back').toBe(false)
        // Without the check this would quietly be a transaction of its own, outside the group.
        expect(() => store.submitJob(newJob(3))).toThrow(expect.objectContaining({ code: 'outcome_unknown' }))
      })
    expect(group).toThrow(expect.objectContaining({ code: 'outcome_unknown' }))
    expect(store.listJobs({}, { limit: 5 })).toEqual([])
    expect(store.listJobs({ text: 'job' }, { limit: 5 })).toEqual([])
    database.pragma('max_page_count = 1073741823')
    submit(store, newJob(4))
    expect(store.readJob(jobIdOf(4))?.state).toBe('queued')
  })

  test('a truncated database is noticed at use or at reopening, never read as empty', () => {
    const { open, databaseFile } = useStateDirectory()
    const store = open()
    store.raiseEpoch('test', start)
    for (let number = 1; number <= 50; number += 1) submit(store, newJob(number))
    store.close()
    truncateSync(databaseFile, Math.floor(statSync(databaseFile).size / 2))
    const seen = () => {
      const again = open()
      again.reopen()
      return again.readJob(jobIdOf(50))
    }
    expect(seen).toThrow(expect.objectContaining({ code: 'storage_refused' }))
  })
})

describe('ballast', () => {
  test('is made, given up once, and made again', () => {
    const { directory } = useStateDirectory()
    const file = join(directory, 'ballast')
    const ballast = new Ballast(file)
    expect(ballast.isInPlace()).toBe(false)
    expect(ballast.restore()).toBe(true)
    const { size, blocks, mode } = statSync(file)
    expect(size).toBe(ballastBytes)
    expect(blocks * 512, 'no holes').toBeGreaterThanOrEqual(ballastBytes)
    expect(mode & 0o777).toBe(0o600)
    expect(ballast.release()).toBe(true)
    expect(ballast.release()).toBe(false)
    expect(ballast.restore()).toBe(true)
  })

  test('one that was cut short is made whole', () => {
    const { directory } = useStateDirectory()
    const file = join(directory, 'ballast')
    writeFileSync(file, 'short')
    const ballast = new Ballast(file)
    expect(ballast.isInPlace()).toBe(false)
    expect(ballast.restore()).toBe(true)
    expect(statSync(file).size).toBe(ballastBytes)
  })
})
