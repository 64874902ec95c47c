import { createHash } from 'node:crypto'
import Database from 'better-sqlite3'
import { indexedWords } from '../src/persistence/search-words.ts'
import { jobOptions } from '../test/support/job-options.ts'

const day = 24 * 3_600_000
const types = ['command', 'command', 'command', 'command', 'thumbnails', 'backup', 'crawl', 'transcode']
const verbs = ['render', 'convert', 'summarise', 'download', 'index', 'compress', 'compare', 'translate']
const projects = ['kiln', 'atlas', 'harbour', 'meadow', 'orchid']
const jobsInTransaction = 20_000
/** As the outbox keeps. */
const keptEvents = 100_000

/** A time-ordered UUIDv7 that is easy to make a million times. */
function idOf(kind: string, number: number, at: number): string {
  const time = at.toString(16).padStart(12, '0')
  const hash = createHash('md5').update(`${kind}${number}`).digest('hex')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hash.slice(0, 3)}-8${hash.slice(3, 6)}-${hash.slice(6, 18)}`
}

interface Sample {
  readonly number: number
  readonly at: number
  readonly type: string
  readonly name: string
  readonly state: 'completed' | 'failed' | 'cancelled'
  readonly labels: Readonly<Record<string, string>>
  readonly params: { readonly argv: readonly string[]; readonly cwd: string }
  readonly error: string | null
}

/** A job as years of nights leave them: mostly completed, a few failed, few cancelled; words common and rare. */
function sample(number: number, total: number, now: number): Sample {
  const pick = <T>(list: readonly T[], salt: number): T => list[(number * 7 + salt * (number % 13)) % list.length] as T
  const state = number % 50 === 7 ? 'failed' : number % 97 === 0 ? 'cancelled' : 'completed'
  const project = pick(projects, 3)
  const verb = pick(verbs, 5)
  return {
    number,
    at: now - Math.floor(((total - number) / total) * 90 * day) - 60_000,
    type: number % 50_000 === 3 ? 'quarterly-report' : pick(types, 1),
    name: `${verb} ${project} part ${number % 1_000}`,
    state,
    labels: { project, batch: String(Math.floor(number / 500)) },
    params: {
      argv: [
        `/usr/local/bin/${verb}`,
        '--input',
        `/data/${project}/file-${number}.dat`,
        '--quality',
        String(number % 100),
      ],
      cwd: `/home/somebody/projects/${project}`,
    },
    error:
      state === 'failed'
        ? JSON.stringify({ code: 'command_failed', message: `exit code ${(number % 5) + 1}`, remedy: 'Read job_logs.' })
        : null,
  }
}

/**
 * Writes finished jobs of one unit into a database that no manager has open: with their labels, payloads, attempts, search
 * index and keys, as the manager would have left them, but without its triggers.
 */
export function fillHistory(databaseFile: string, jobs: number, now: number): void {
  const database = new Database(databaseFile)
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = OFF')
  database.pragma('cache_size = -200000')
  const triggers = database
    .prepare<[], { name: string; sql: string }>("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
    .all()
  for (const { name } of triggers) database.exec(`DROP TRIGGER ${name}`)
  const write = writerOf(database)
  for (let from = 1; from <= jobs; from += jobsInTransaction) {
    database.transaction(() => {
      for (let number = from; number < Math.min(from + jobsInTransaction, jobs + 1); number += 1) {
        write(sample(number, jobs, now), number > jobs - keptEvents)
      }
    })()
    database.pragma('wal_checkpoint(PASSIVE)')
  }
  database.exec(`UPDATE state_count SET
    completed = (SELECT count(*) FROM job WHERE state = 'completed'),
    failed = (SELECT count(*) FROM job WHERE state = 'failed'),
    cancelled = (SELECT count(*) FROM job WHERE state = 'cancelled')`)
  for (const { sql } of triggers) database.exec(sql)
  database.pragma('wal_checkpoint(TRUNCATE)')
  database.close()
}

function writerOf(database: Database.Database): (job: Sample, withEvent: boolean) => void {
  database.exec("INSERT OR IGNORE INTO queue (name, created_at) VALUES ('default', 0), ('night', 0)")
  const insert = (table: string, columns: string) => {
    const names = columns.split(' ')
    return database.prepare(
      `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map((name) => `@${name}`).join(', ')})`,
    )
  }
  const job = insert(
    'job',
    'id queue type name state priority run_at max_attempts submitted_by sealed_at cancel_requested_at cancel_reason error created_at started_at finished_at settled_event',
  )
  const payload = insert('job_payload', 'job_seq params options context work_hash')
  const label = insert('job_label', 'job_seq key value')
  const count = insert('job_count', 'job_seq total completed failed cancelled')
  const unit = insert('unit', 'id job_seq position state available_at attempt failures finished_at')
  const unitPayload = insert('unit_payload', 'unit_seq input output')
  const attempt = insert(
    'attempt',
    'unit_seq attempt nonce worker_id executor mode outcome exit_code error started_at finished_at elapsed_ms output_bytes',
  )
  const key = insert('idempotency', 'key content_hash job_id created_at')
  const search = insert('job_search', 'rowid words')
  const event = database.prepare(
    "INSERT INTO event (type, job_id, data, created_at) VALUES (@type, @job_id, '{}', @at) RETURNING id",
  )
  const firstEvent =
    database.prepare<[], { seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'event'").get()?.seq ?? 0
  let lastEvent = firstEvent
  database.prepare("DELETE FROM sqlite_sequence WHERE name = 'event'").run()
  database.prepare("INSERT INTO sqlite_sequence (name, seq) VALUES ('event', ?)").run(firstEvent)
  const startEvents = database.prepare("UPDATE sqlite_sequence SET seq = @id WHERE name = 'event'")
  const options = JSON.stringify({ ...jobOptions, cancelGraceMs: 3000, maxOutputBytes: 10_485_760 })
  const context = JSON.stringify({
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8' },
    cwd: '/home/somebody',
  })
  return (made, withEvent) => {
    const { number, at, state } = made
    const id = idOf('job', number, at)
    const ended = at + 1_000 + (number % 60_000)
    if (withEvent) {
      if (lastEvent === firstEvent) startEvents.run({ id: firstEvent + number })
      lastEvent = (event.get({ type: `job.${state}`, job_id: id, at: ended }) as { id: number }).id
    }
    const isCancelled = state === 'cancelled'
    const seq = job.run({
      id,
      queue: number % 10 === 0 ? 'night' : 'default',
      type: made.type,
      name: made.name,
      state,
      priority: 2,
      run_at: at,
      max_attempts: 1,
      submitted_by: 'claude 1.0',
      sealed_at: at,
      cancel_requested_at: isCancelled ? ended : null,
      cancel_reason: isCancelled ? 'user' : null,
      error: made.error,
      created_at: at,
      started_at: at + 20,
      finished_at: ended,
      settled_event: withEvent ? lastEvent : firstEvent + number,
    }).lastInsertRowid
    payload.run({ job_seq: seq, params: JSON.stringify(made.params), options, context, work_hash: null })
    for (const [name, value] of Object.entries(made.labels)) label.run({ job_seq: seq, key: name, value })
    count.run({
      job_seq: seq,
      total: 1,
      completed: +(state === 'completed'),
      failed: +(state === 'failed'),
      cancelled: +isCancelled,
    })
    const unitSeq = unit.run({
      id: idOf('unit', number, at),
      job_seq: seq,
      position: 0,
      state,
      available_at: 0,
      attempt: 1,
      failures: +(state === 'failed'),
      finished_at: ended,
    }).lastInsertRowid
    unitPayload.run({ unit_seq: unitSeq, input: 'null', output: '{"exit_code":0,"output_tail":"done in a while"}' })
    attempt.run({
      unit_seq: unitSeq,
      attempt: 1,
      nonce: 'a1b2c3d4e5f6',
      worker_id: 'commands-1',
      executor: 'command',
      mode: 'local',
      outcome: state,
      exit_code: state === 'failed' ? 1 : 0,
      error: made.error,
      started_at: at + 20,
      finished_at: ended,
      elapsed_ms: ended - at - 20,
      output_bytes: 2_000,
    })
    key.run({ key: `bench-${number}`, content_hash: id, job_id: id, created_at: at })
    const error = made.error === null ? null : (JSON.parse(made.error) as { message: string }).message
    search.run({
      rowid: BigInt(seq),
      words: indexedWords({ ...made, params: { ...made.params, argv: [...made.params.argv] }, error }),
    })
  }
}
