import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { openConnection } from '../../../src/persistence/connection.ts'
import { migrate, readMigrations } from '../../../src/persistence/migrator.ts'
import {
  artifact,
  claim,
  facts,
  jobIdOf,
  newJob,
  options,
  start,
  submit,
  unitIdOf,
  worker,
} from '../../conformance/support/jobs.ts'
import { type StateDirectory, useStateDirectory } from './support.ts'

const known = readMigrations()
const held = { unitId: unitIdOf(1, 1), attempt: 1, nonce: 'nonce-of-then', workerId: worker.id }

/** One job of two units: the first completed, the second runs. Written as SQL: no newer code had a hand in it. */
const rows = `
  INSERT INTO leader (only, epoch, holder, raised_at) VALUES (1, 7, 'then', ${start});
  INSERT INTO worker (id, kind, name, pid, slots, started_at, heartbeat_at, lease_expires_at)
    VALUES ('${worker.id}', 'command', 'commands', 1, 4, ${start}, ${start}, ${start + 30_000});
  INSERT INTO queue (name, created_at) VALUES ('default', ${start});
  INSERT INTO job (seq, id, queue, type, name, priority, run_at, max_attempts, submitted_by, sealed_at, created_at)
    VALUES (1, '${jobIdOf(1)}', 'default', 'command', 'of then', 2, ${start}, 1, 'test', ${start}, ${start});
  INSERT INTO job_payload (job_seq, params, options, context)
    VALUES (1, '{"argv":["true"]}', '${JSON.stringify(options)}', 'null');
  INSERT INTO unit (seq, id, job_seq, position, available_at)
    VALUES (1, '${unitIdOf(1, 0)}', 1, 0, 0), (2, '${held.unitId}', 1, 1, 0);
  INSERT INTO unit_payload (unit_seq, input, checkpoint) VALUES (1, '"a"', NULL), (2, '"b"', '{"page":3}');
  UPDATE job SET state = 'running', started_at = ${start};
  UPDATE unit SET state = 'running', attempt = 1, nonce = '${held.nonce}', leased_by = '${worker.id}';
  INSERT INTO attempt (unit_seq, attempt, nonce, worker_id, executor, mode, started_at)
    SELECT seq, 1, nonce, leased_by, 'command', 'local', ${start} FROM unit;
  UPDATE unit_payload SET output = '{"exit_code":0}' WHERE unit_seq = 1;
  UPDATE attempt SET outcome = 'completed', finished_at = ${start + 5} WHERE unit_seq = 1;
  UPDATE unit SET state = 'completed', finished_at = ${start + 5}, nonce = NULL, leased_by = NULL WHERE seq = 1;
  INSERT INTO event (id, type, job_id, data, created_at) VALUES (41, 'unit.completed', '${jobIdOf(1)}', '{}', ${start});
`

function writeSchema1({ databaseFile, backupsDirectory }: StateDirectory): void {
  const database = openConnection({ databaseFile, fullfsync: false })
  migrate(database, known.slice(0, 1), { backupsDirectory, appVersion: '0.1.0', now: start })
  database.exec(rows)
  database.close()
}

test('a database of the first schema is migrated with all rows, after a backup of it', () => {
  const directory = useStateDirectory()
  writeSchema1(directory)
  const store = directory.open()
  expect(store.readJob(jobIdOf(1))).toMatchObject({
    name: 'of then',
    state: 'running',
    counts: { total: 2, completed: 1, running: 1 },
  })
  expect(store.readUnitPayload(unitIdOf(1, 0))).toEqual({ input: 'a', output: { exit_code: 0 } })
  expect(store.readAttempts(unitIdOf(1, 0))).toMatchObject([{ outcome: 'completed', finishedAt: start + 5 }])
  expect(store.readCheckpoints([unitIdOf(1, 0), held.unitId])).toEqual(
    new Map([[held.unitId, { state: { page: 3 }, format: null }]]),
  )
  expect(store.readArtifacts(jobIdOf(1), { limit: 9 })).toEqual([])
  expect(store.lastEventId()).toBe(41)

  const [backup, ...others] = readdirSync(directory.backupsDirectory)
  expect(others).toEqual([])
  expect(backup).toContain(`queue-schema-1-before-${known.length}-`)
  const copy = new Database(join(directory.backupsDirectory, backup ?? ''), { readonly: true })
  expect(copy.pragma('user_version', { simple: true })).toBe(1)
  expect(copy.prepare('SELECT id FROM unit ORDER BY seq').pluck().all()).toEqual([unitIdOf(1, 0), held.unitId])
  copy.close()
})

test('what ran when it was migrated goes on, and new work beside it', () => {
  const directory = useStateDirectory()
  writeSchema1(directory)
  const store = directory.open()
  expect(store.raiseEpoch('now', start)).toBe(8)
  store.registerWorker(worker, start, start + 30_000)
  expect(store.findHeldUnits({ limit: 9 })).toMatchObject([{ fence: held, job: { id: jobIdOf(1) } }])
  expect(store.recordArtifactsIfHeld(held, [artifact('report.txt')])).toBe(true)
  expect(store.completeUnitIfHeld(held, { exit_code: 0 }, facts())?.settled).toBe(true)
  expect(store.readArtifacts(jobIdOf(1), { limit: 9 })).toMatchObject([{ position: 1, name: 'report.txt' }])
  expect(store.readCheckpoints([held.unitId])).toEqual(new Map())

  submit(store, newJob(2))
  store.completeUnitIfHeld(claim(store, jobIdOf(2)).fence, null, facts())
  expect(store.listJobs({}, { limit: 9 }).map((job) => job.state)).toEqual(['completed', 'completed'])
  expect(store.deleteJobSlice(jobIdOf(1), 9)).toMatchObject({ units: 2, done: true })
})
