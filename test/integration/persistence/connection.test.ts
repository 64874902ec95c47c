import { readFileSync, statSync, writeFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { applicationId, openConnection } from '../../../src/persistence/connection.ts'
import { jobIdOf, newJob, start, submit } from '../../conformance/support/jobs.ts'
import { useStateDirectory } from './support.ts'

describe('connection', () => {
  test('is durable on the second open too, where the driver falls back to NORMAL', () => {
    const { open, databaseFile } = useStateDirectory()
    open().close()
    const bare = new Database(databaseFile)
    expect(bare.pragma('synchronous', { simple: true }), 'the trap this guards against').toBe(1)
    bare.close()
    const database = openConnection({ databaseFile, fullfsync: true })
    onTestFinished(() => {
      database.close()
    })
    const settings = [
      'journal_mode',
      'synchronous',
      'foreign_keys',
      'busy_timeout',
      'fullfsync',
      'checkpoint_fullfsync',
    ]
    expect(Object.fromEntries(settings.map((name) => [name, database.pragma(name, { simple: true })]))).toEqual({
      journal_mode: 'wal',
      synchronous: 2,
      foreign_keys: 1,
      busy_timeout: 400,
      fullfsync: 1,
      checkpoint_fullfsync: 1,
    })
    expect(database.pragma('application_id', { simple: true })).toBe(applicationId)
  })

  test('every file is private', () => {
    const { open, databaseFile } = useStateDirectory()
    const store = open()
    store.raiseEpoch('test', start)
    for (const file of [databaseFile, `${databaseFile}-wal`, `${databaseFile}-shm`]) {
      expect(statSync(file).mode & 0o777, file).toBe(0o600)
    }
  })

  test('a database of another program is refused and left as it was', () => {
    const { open, databaseFile } = useStateDirectory()
    const foreign = new Database(databaseFile)
    foreign.exec('CREATE TABLE diary (entry TEXT)')
    foreign.close()
    const before = readFileSync(databaseFile)
    expect(() => open()).toThrow(expect.objectContaining({ code: 'storage_refused' }))
    expect(readFileSync(databaseFile)).toEqual(before)
    const marked = new Database(databaseFile)
    marked.pragma('application_id = 77')
    marked.close()
    expect(() => open()).toThrow(/another program \(application id 77\)/)
  })

  test.each([
    ['a text file', Buffer.from('Dear diary, this is long enough to be no database at all. '.repeat(50))],
    ['a damaged header', Buffer.concat([Buffer.from('SQLite format 3\0'), Buffer.alloc(4080, 0xff)])],
  ])('%s in its place is refused and left as it was', (_what, content) => {
    const { open, databaseFile } = useStateDirectory()
    writeFileSync(databaseFile, content)
    expect(() => open()).toThrow(expect.objectContaining({ code: 'storage_refused' }))
    expect(readFileSync(databaseFile)).toEqual(content)
  })

  test('a file system that cannot do WAL is refused, not used without', () => {
    const { open } = useStateDirectory()
    const pragma = Database.prototype.pragma
    vi.spyOn(Database.prototype, 'pragma').mockImplementation(function (this: Database.Database, ...call) {
      return call[0] === 'journal_mode' ? 'delete' : Reflect.apply(pragma, this, call)
    })
    onTestFinished(() => {
      vi.restoreAllMocks()
    })
    expect(() => open()).toThrow(/does not accept journal_mode/)
  })
})

describe('reopen', () => {
  test('goes on with the same rows and the same epoch', () => {
    const { open } = useStateDirectory()
    const store = open()
    const epoch = store.raiseEpoch('test', start)
    submit(store, newJob(1))
    store.reopen()
    expect(store.epoch).toBe(epoch)
    expect(store.readJob(jobIdOf(1))?.name).toBe('job 1')
    submit(store, newJob(2))
    expect(store.listJobs({ text: 'job' }, { limit: 5 })).toHaveLength(2)
  })

  test('refuses a database that was replaced meanwhile', () => {
    const first = useStateDirectory()
    const store = first.open()
    store.adoptInstanceId('instance-a', start)
    store.raiseEpoch('test', start)
    store.close()
    const second = useStateDirectory()
    const other = second.open()
    other.adoptInstanceId('instance-b', start)
    other.close()
    writeFileSync(first.databaseFile, readFileSync(second.databaseFile))
    expect(() => store.reopen()).toThrow(/instance-a.*instance-b/)
  })
})
