import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { QueueError } from '../../../src/domain/errors.ts'
import { openConnection } from '../../../src/persistence/connection.ts'
import { migrate, readMigrations } from '../../../src/persistence/migrator.ts'
import { jobIdOf, newJob, start, submit } from '../../conformance/support/jobs.ts'
import { nameOf, newTask } from '../../conformance/support/tasks.ts'
import { useStateDirectory } from './support.ts'

const known = readMigrations()
const rows = `
  INSERT INTO leader (only, epoch, holder, raised_at) VALUES (1, 7, 'then', ${start});
  INSERT INTO queue (name, created_at) VALUES ('default', ${start});
  INSERT INTO job (seq, id, queue, type, name, priority, run_at, max_attempts, submitted_by, sealed_at, created_at)
    VALUES (1, '${jobIdOf(1)}', 'default', 'command', 'waits', 2, ${start}, 1, 'test', ${start}, ${start});
`

test('jobs of before can be waited for by tasks, and take them along', () => {
  const { databaseFile, backupsDirectory, open } = useStateDirectory()
  const database = openConnection({ databaseFile, fullfsync: false })
  migrate(database, known.slice(0, 3), { backupsDirectory, appVersion: '0.1.0', now: start })
  database.exec(rows)
  database.close()
  const store = open()
  store.raiseEpoch('now', start)
  submit(store, newJob(2))
  expect(store.createTask(newTask(1, { ids: [jobIdOf(1), jobIdOf(2)] })).kind).toBe('created')
  store.close()
  const direct = new Database(databaseFile)
  direct.pragma('foreign_keys = ON')
  direct.prepare('DELETE FROM job').run()
  expect(direct.prepare('SELECT count(*) FROM task').pluck().get()).toBe(0)
  expect(direct.prepare('SELECT count(*) FROM task_job').pluck().get()).toBe(0)
  direct.close()
})

test('an ended task cannot be changed, not even by a program with a mistake', () => {
  const { databaseFile, open } = useStateDirectory()
  const store = open()
  store.raiseEpoch('now', start)
  submit(store, newJob(1))
  store.createTask(newTask(1))
  store.settleTaskIfOpen(nameOf(1), { done: true }, start)
  store.close()
  const direct = new Database(databaseFile)
  const change = () => direct.prepare(`UPDATE task SET outcome = '{}'`).run()
  expect(change).toThrow('the task has ended')
  direct.close()
})

test('a program that knows no tasks refuses the database', () => {
  const { open } = useStateDirectory()
  open().close()
  let refused: unknown
  try {
    open({ migrations: known.slice(0, 3) })
  } catch (thrown) {
    refused = thrown
  }
  expect(refused).toBeInstanceOf(QueueError)
  expect(refused).toMatchObject({ code: 'schema_too_new' })
})
