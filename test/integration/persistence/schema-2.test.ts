import { readdirSync } from 'node:fs'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { openConnection } from '../../../src/persistence/connection.ts'
import { migrate, readMigrations } from '../../../src/persistence/migrator.ts'
import {
  artifact,
  claim,
  claimForGpu,
  claimSome,
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
const done = { unitId: unitIdOf(1, 0), attempt: 1, nonce: 'nonce-of-then', workerId: worker.id }

/**
 * A job of four units: one completed, one runs, two wait in two lanes; another that waits; a final one. Written as SQL: no newer
 * code had a hand in it.
 */
const rows = `
  INSERT INTO leader (only, epoch, holder, raised_at) VALUES (1, 7, 'then', ${start});
  INSERT INTO worker (id, kind, name, pid, slots, started_at, heartbeat_at, lease_expires_at)
    VALUES ('${worker.id}', 'command', 'commands', 1, 4, ${start}, ${start}, ${start + 30_000});
  INSERT INTO queue (name, created_at) VALUES ('default', ${start});
  INSERT INTO job (seq, id, queue, type, name, priority, run_at, max_attempts, submitted_by, sealed_at, created_at)
    VALUES (1, '${jobIdOf(1)}', 'default', 'command', 'runs', 2, ${start}, 2, 'test', ${start}, ${start}),
           (2, '${jobIdOf(2)}', 'default', 'command', 'waits', 2, ${start}, 1, 'test', ${start}, ${start}),
           (3, '${jobIdOf(3)}', 'default', 'command', 'is final', 2, ${start}, 1, 'test', ${start}, ${start});
  INSERT INTO job_payload (job_seq, params, options, context)
    SELECT seq, '{"argv":["true"]}', '${JSON.stringify(options)}', 'null' FROM job;
  INSERT INTO unit (seq, id, job_seq, position, limit_key, available_at)
    VALUES (1, '${done.unitId}', 1, 0, NULL, 0), (2, '${held.unitId}', 1, 1, NULL, 0),
           (3, '${unitIdOf(1, 2)}', 1, 2, NULL, 0), (4, '${unitIdOf(1, 3)}', 1, 3, 'host', 0),
           (5, '${unitIdOf(2, 0)}', 2, 0, NULL, 0), (6, '${unitIdOf(3, 0)}', 3, 0, NULL, 0);
  INSERT INTO unit_payload (unit_seq, input, checkpoint)
    SELECT seq, position, iif(seq = 2, '{"page":3}', NULL) FROM unit;
  UPDATE job SET state = 'running', started_at = ${start} WHERE seq = 1;
  UPDATE unit SET state = 'running', attempt = 1, nonce = '${held.nonce}', leased_by = '${worker.id}' WHERE seq < 3;
  INSERT INTO attempt (unit_seq, attempt, nonce, worker_id, executor, mode, started_at)
    SELECT seq, 1, nonce, leased_by, 'command', 'local', ${start} FROM unit WHERE seq < 3;
  INSERT INTO artifact (unit_seq, attempt, nonce, name, media_type, bytes, sha256, job_seq, position)
    VALUES (1, 1, '${done.nonce}', 'a.txt', 'text/plain', 3, '${artifact('a.txt').sha256}', 1, 0);
  UPDATE unit_payload SET output = '{"exit_code":0}' WHERE unit_seq = 1;
  UPDATE attempt SET outcome = 'completed', finished_at = ${start + 5} WHERE unit_seq = 1;
  UPDATE unit SET state = 'completed', finished_at = ${start + 5}, nonce = NULL, leased_by = NULL WHERE seq = 1;
  UPDATE unit SET state = 'cancelled', finished_at = ${start + 6} WHERE seq = 6;
  UPDATE job SET cancel_requested_at = ${start}, cancel_reason = 'user' WHERE seq = 3;
  UPDATE job SET state = 'cancelled', finished_at = ${start + 6}, settled_event = 40 WHERE seq = 3;
  INSERT INTO event (id, type, job_id, data, created_at) VALUES (41, 'unit.completed', '${jobIdOf(1)}', '{}', ${start});
`

function writeSchema2({ databaseFile, backupsDirectory }: StateDirectory): void {
  const database = openConnection({ databaseFile, fullfsync: false })
  migrate(database, known.slice(0, 2), { backupsDirectory, appVersion: '0.1.0', now: start })
  database.exec(rows)
  database.close()
}

test('a database of the second schema keeps its jobs: none of them asks for a GPU', () => {
  const directory = useStateDirectory()
  writeSchema2(directory)
  const store = directory.open()
  expect(store.readJob(jobIdOf(1))).toMatchObject({
    state: 'running',
    counts: { total: 4, completed: 1, running: 1, available: 2 },
    gpu: 'never',
    gpuWaitsSince: null,
  })
  expect(store.readJob(jobIdOf(3))).toMatchObject({ state: 'cancelled', gpu: 'never' })
  expect(store.readAttempts(done.unitId)).toMatchObject([
    { mode: 'local', outcome: 'completed', remote: null, device: null, fallbackReason: null },
  ])
  expect(store.readCheckpoints([held.unitId])).toEqual(new Map([[held.unitId, { state: { page: 3 }, format: null }]]))
  expect(store.readArtifacts(jobIdOf(1), { limit: 9 })).toMatchObject([{ name: 'a.txt' }])
  expect(store.readGpuWaiters(start, 9)).toEqual([])
  expect(store.readGpuHistory([done.unitId, held.unitId])).toEqual(new Map())
  expect(store.readRunnableJobs(0, 9).map(({ seq, forGpu, limitKey }) => [seq, forGpu, limitKey])).toEqual([
    [1, false, null],
    [1, false, 'host'],
    [2, false, null],
  ])
  expect(readdirSync(directory.backupsDirectory)[0]).toContain(`queue-schema-2-before-${known.length}-`)
  const database = new Database(directory.databaseFile, { readonly: true })
  expect(database.pragma('integrity_check', { simple: true })).toBe('ok')
  expect(database.pragma('foreign_key_check')).toEqual([])
  database.close()
})

test('what ran and what waited goes on here, and new jobs may ask for a GPU', () => {
  const directory = useStateDirectory()
  writeSchema2(directory)
  const store = directory.open()
  store.raiseEpoch('now', start)
  store.registerWorker(worker, start, start + 30_000)
  expect(store.findHeldUnits({ limit: 9 })).toMatchObject([{ fence: held, remote: null, executor: 'command' }])
  expect(claimSome(store, jobIdOf(1), 9, { executor: 'gpu' })).toEqual([])
  store.completeUnitIfHeld(claim(store, jobIdOf(1)).fence, null, facts())
  store.completeUnitIfHeld(claim(store, jobIdOf(1), { limitKey: 'host' }).fence, null, facts())
  expect(store.completeUnitIfHeld(held, null, facts())).toMatchObject({ settled: true, job: { state: 'completed' } })
  expect(store.completeUnitIfHeld(claim(store, jobIdOf(2)).fence, null, facts())?.settled).toBe(true)

  submit(store, newJob(4, { gpu: 'require' }))
  expect(claimForGpu(store, jobIdOf(4)).job).toMatchObject({ gpu: 'require', state: 'running' })
  expect(store.deleteJobSlice(jobIdOf(1), 9)).toMatchObject({ units: 4, done: true })
})
