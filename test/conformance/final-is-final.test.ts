import Database from 'better-sqlite3'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openSqlite } from './support/implementations.ts'
import { claim, facts, jobIdOf, newJob, start, submit, unitIdOf } from './support/jobs.ts'

/** A job that is final, one that is not, and a connection that obeys nobody. */
function openFinal() {
  const { store, databaseFile } = openSqlite()
  submit(store, newJob(1))
  store.completeUnitIfHeld(claim(store, jobIdOf(1)).fence, 'result', facts())
  submit(store, newJob(2, { maxAttempts: 3 }, 2))
  claim(store, jobIdOf(2))
  const database = new Database(databaseFile)
  onTestFinished(() => {
    database.close()
  })
  const columnsOf = (table: string) =>
    database
      .prepare<[], { name: string }>(`SELECT name FROM pragma_table_info('${table}')`)
      .all()
      .map(({ name }) => name)
  return { store, database, columnsOf }
}

describe('sqlite: final is final', () => {
  test('no column of a final job can be written, but those of retention', () => {
    const { database, columnsOf } = openFinal()
    const retention = new Set(['keep_until'])
    const columns = columnsOf('job')
    expect(columns.length).toBeGreaterThan(30)
    for (const column of columns) {
      const write = () => database.prepare(`UPDATE job SET ${column} = ${column} WHERE id = ?`).run(jobIdOf(1))
      if (retention.has(column)) expect(write, column).not.toThrow()
      else expect(write, column).toThrow('job is final')
    }
  })

  test('no column of a final unit, its input and its result can be written', () => {
    const { database, columnsOf } = openFinal()
    for (const column of columnsOf('unit')) {
      const write = () => database.prepare(`UPDATE unit SET ${column} = ${column} WHERE id = ?`).run(unitIdOf(1, 0))
      expect(write, column).toThrow('unit is final')
    }
    const ofUnit = `unit_seq = (SELECT seq FROM unit WHERE id = '${unitIdOf(1, 0)}')`
    for (const column of ['input', 'output', 'checkpoint']) {
      expect(() => database.exec(`UPDATE unit_payload SET ${column} = '1' WHERE ${ofUnit}`), column).toThrow(
        'unit is final',
      )
    }
    expect(() => database.exec(`UPDATE unit_payload SET output_pruned_at = 1, output = '1' WHERE ${ofUnit}`)).toThrow(
      'final',
    )
    database.exec(`UPDATE unit_payload SET output_pruned_at = 1, output = NULL WHERE ${ofUnit}`)
  })

  test('parameters of a final job and an ended attempt cannot be written', () => {
    const { database } = openFinal()
    expect(() => database.exec(`UPDATE job_payload SET params = '{}' WHERE job_seq = 1`)).toThrow('job is final')
    expect(() =>
      database.exec(`UPDATE attempt SET outcome = 'running', finished_at = NULL WHERE unit_seq = 1`),
    ).toThrow('the attempt has ended')
    expect(() => database.exec('UPDATE attempt SET exit_code = 3 WHERE unit_seq = 1')).toThrow('the attempt has ended')
  })

  test.each([
    [
      'a job settled while a unit can move',
      'can still move',
      "UPDATE job SET state = 'completed', finished_at = 1, settled_event = 99 WHERE seq = 2",
    ],
    ['a job queued again', 'never queued again', "UPDATE job SET state = 'queued', started_at = NULL WHERE seq = 2"],
    ['a job without an end time', 'CHECK', "UPDATE job SET state = 'failed' WHERE seq = 2"],
    ['a state that does not exist', 'CHECK', "UPDATE job SET state = 'paused' WHERE seq = 2"],
    ['a cancel without a reason', 'CHECK', 'UPDATE job SET cancel_requested_at = 1 WHERE seq = 2'],
    [
      'a unit that ends without having run',
      'must run before it ends',
      "UPDATE unit SET state = 'completed', finished_at = 1 WHERE state = 'available'",
    ],
    ['a running unit without a worker', 'CHECK', "UPDATE unit SET leased_by = NULL WHERE state = 'running'"],
    ['a running unit without a nonce', 'CHECK', "UPDATE unit SET nonce = NULL WHERE state = 'running'"],
    ['an attempt number that goes back', 'grows by one', "UPDATE unit SET attempt = 0 WHERE state = 'running'"],
    [
      'an attempt number that grows without a claim',
      'grows by one',
      "UPDATE unit SET attempt = attempt + 1 WHERE state = 'running'",
    ],
    [
      'a second running attempt',
      'UNIQUE constraint failed: attempt.unit_seq',
      "INSERT INTO attempt (unit_seq, attempt, nonce, worker_id, executor, mode, started_at) VALUES (2, 2, 'n', 'w', 'gpu', 'gpu', 1)",
    ],
    [
      'a unit added to a final job',
      'takes no more units',
      "INSERT INTO unit (id, job_seq, position, available_at) VALUES ('x', 1, 9, 1)",
    ],
    [
      'a unit that is born running',
      'starts available',
      "INSERT INTO unit (id, job_seq, position, available_at, state, leased_by, nonce) VALUES ('x', 2, 9, 1, 'running', 'worker-1', 'n')",
    ],
    ['counts that do not add up', 'CHECK', 'UPDATE job_count SET completed = completed + 1'],
  ])('refuses %s', (_what, reason, sql) => {
    const { database } = openFinal()
    expect(() => database.exec(sql)).toThrow(reason)
  })

  test('deleting a job takes everything of it along, and its place in the totals', () => {
    const { store, database } = openFinal()
    database.pragma('foreign_keys = ON')
    database.exec('DELETE FROM job WHERE seq = 1')
    for (const table of ['job_payload', 'job_count', 'job_label']) {
      expect(database.prepare(`SELECT count(*) FROM ${table} WHERE job_seq = 1`).pluck().get(), table).toBe(0)
    }
    expect(database.prepare('SELECT count(*) FROM unit WHERE job_seq = 1').pluck().get()).toBe(0)
    expect(store.readStatistics(start).jobs).toEqual({ queued: 0, running: 1, completed: 0, failed: 0, cancelled: 0 })
    expect(store.listJobs({ text: 'job' }, { limit: 10 }).map((job) => job.id)).toEqual([jobIdOf(2)])
  })
})
