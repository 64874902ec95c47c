import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Database, Statement } from 'better-sqlite3'
import { uuidv7 } from 'uuidv7'
import { openConnection } from '../src/persistence/connection.ts'
import { makeBenchDirectory, repositoryRoot } from './bench-home.ts'

const migrations = join(repositoryRoot, 'src', 'persistence', 'migrations')
/** As many units as the manager takes in one claim. */
const groupSize = 250
const jobSeq = 1
const jobId = 'floor'

/** What the floor does: one statement for each step of a group, found by row number. Measured to be faster than one a row. */
interface Steps {
  readonly add: Statement<[number, string]>
  readonly addInputs: Statement<[number, string]>
  readonly claim: Statement<[string, number, number]>
  readonly openAttempts: Statement<[string, number, number, number]>
  readonly keepOutputs: Statement<[number, string]>
  readonly complete: Statement<[number, number, number]>
  readonly closeAttempts: Statement<[number, number, number]>
  readonly tell: Statement<[string, string, number]>
}

function prepare(database: Database): Steps {
  return {
    add: database.prepare(
      `INSERT INTO unit (id, job_seq, position, available_at) SELECT value, ${jobSeq}, ? + key, 0 FROM json_each(?)`,
    ),
    addInputs: database.prepare('INSERT INTO unit_payload (unit_seq, input) SELECT ? + key, value FROM json_each(?)'),
    claim: database.prepare(
      `UPDATE unit SET state = 'running', attempt = 1, nonce = ?, leased_by = 'floor' WHERE seq BETWEEN ? AND ?`,
    ),
    openAttempts: database.prepare(
      `INSERT INTO attempt (unit_seq, attempt, nonce, worker_id, executor, mode, started_at)
       SELECT seq, 1, ?, 'floor', 'inline', 'local', ? FROM unit WHERE seq BETWEEN ? AND ?`,
    ),
    keepOutputs: database.prepare(
      `UPDATE unit_payload SET output = ended.output FROM (SELECT ? + key AS seq, value AS output FROM json_each(?)) AS ended
       WHERE unit_seq = ended.seq`,
    ),
    complete: database.prepare(
      `UPDATE unit SET state = 'completed', finished_at = ?, leased_by = NULL, nonce = NULL WHERE seq BETWEEN ? AND ?`,
    ),
    closeAttempts: database.prepare(
      `UPDATE attempt SET outcome = 'completed', finished_at = ? WHERE unit_seq BETWEEN ? AND ?`,
    ),
    tell: database.prepare(`INSERT INTO event (type, job_id, data, created_at) VALUES (?, '${jobId}', ?, ?)`),
  }
}

function open(directory: string): Database {
  const database = openConnection({ databaseFile: join(directory, 'floor.db'), fullfsync: false })
  database.exec(readFileSync(join(migrations, '0001_initial.sql'), 'utf8'))
  database.exec(`
    INSERT INTO queue (name, created_at) VALUES ('default', 0);
    INSERT INTO worker (id, kind, name, pid, slots, started_at, heartbeat_at, lease_expires_at)
      VALUES ('floor', 'inline', 'floor', 1, ${groupSize}, 0, 0, 0);
    INSERT INTO job (seq, id, queue, type, name, priority, run_at, max_attempts, submitted_by, created_at)
      VALUES (${jobSeq}, '${jobId}', 'default', 'noop', 'noop', 2, 0, 1, 'bench', 0);
    UPDATE job SET state = 'running', started_at = 0 WHERE seq = ${jobSeq};
  `)
  return database
}

export interface FloorPace {
  readonly ranPerSecond: number
  readonly addedAndRanPerSecond: number
}

/**
 * The same row changes as a no-op job of the manager, by better-sqlite3 alone on the product's schema and connection settings:
 * groups of 250 units, one durable commit for the end of a group and the claim of the next, one event a group and step.
 */
export function measureUnitsFloor(units: number): FloorPace {
  const directory = makeBenchDirectory('units-floor')
  const database = open(directory)
  try {
    const steps = prepare(database)
    const began = performance.now()
    add(database, steps, units)
    const added = performance.now()
    run(database, steps, units)
    const ran = performance.now()
    check(database, units)
    return { ranPerSecond: (units * 1_000) / (ran - added), addedAndRanPerSecond: (units * 1_000) / (ran - began) }
  } finally {
    database.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** @returns one text for each of some rows, as a JSON array */
function texts(first: number, last: number, textOf: (seq: number) => string): string {
  return JSON.stringify(Array.from({ length: last - first + 1 }, (_, index) => textOf(first + index)))
}

function add(database: Database, steps: Steps, units: number): void {
  const group = database.transaction((first: number) => {
    const last = Math.min(units, first + groupSize - 1)
    steps.add.run(
      first - 1,
      texts(first, last, () => uuidv7()),
    )
    steps.addInputs.run(first, texts(first, last, String))
    steps.tell.run('job.units_added', JSON.stringify({ count: last - first + 1 }), Date.now())
  })
  for (let first = 1; first <= units; first += groupSize) group.immediate(first)
}

function run(database: Database, steps: Steps, units: number): void {
  const { claim, openAttempts, complete, keepOutputs, closeAttempts, tell } = steps
  const dataOf = (first: number, last: number) =>
    JSON.stringify({ count: last - first + 1, positions: [first - 1, last - 1] })
  const end = (first: number, last: number, now: number) => {
    keepOutputs.run(first, texts(first, last, String))
    complete.run(now, first, last)
    closeAttempts.run(now, first, last)
    tell.run('units.completed', dataOf(first, last), now)
  }
  const start = (first: number, last: number, now: number) => {
    claim.run('0123456789ab', first, last)
    openAttempts.run('0123456789ab', now, first, last)
    tell.run('units.started', dataOf(first, last), now)
  }
  const turn = database.transaction((first: number) => {
    const now = Date.now()
    if (first > 1) end(first - groupSize, Math.min(units, first - 1), now)
    if (first <= units) start(first, Math.min(units, first + groupSize - 1), now)
  })
  for (let first = 1; first <= units + groupSize; first += groupSize) turn.immediate(first)
}

function check(database: Database, units: number): void {
  const counts = database.prepare<[], { completed: number }>('SELECT completed FROM job_count').get()
  const closed = database.prepare<[], number>(`SELECT count(*) FROM attempt WHERE outcome = 'completed'`).pluck().get()
  if (counts?.completed !== units || closed !== units) throw new Error('the floor left units undone')
}
