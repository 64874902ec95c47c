import type { Statement } from 'better-sqlite3'
import { QueueError } from '../domain/errors.ts'
import type { Job } from '../domain/job.ts'
import type { NewJob, SubmitOutcome } from '../domain/ports/job-store.ts'
import type { EventStore } from './event-store.ts'
import type { JobReader } from './job-reader.ts'
import type { SearchIndex } from './search-index.ts'
import { indexedWords } from './search-words.ts'
import type { Binds, Prepare } from './statement-loader.ts'

interface KeyRow {
  content_hash: string
  job_id: string
  created_at: number
}

/** Submitting: one job with its units, payloads, labels, key, event and index entry. */
export class Submissions {
  readonly #events: EventStore
  readonly #jobs: JobReader
  readonly #search: SearchIndex
  readonly #keepKey: Statement<[Binds]>
  readonly #readKey: Statement<[Binds], KeyRow>
  readonly #ensureQueue: Statement<[Binds]>
  readonly #insertJob: Statement<[Binds]>
  readonly #insertPayload: Statement<[Binds]>
  readonly #insertLabel: Statement<[Binds]>
  readonly #insertUnit: Statement<[Binds]>
  readonly #insertUnitPayload: Statement<[Binds]>

  constructor(prepare: Prepare, events: EventStore, jobs: JobReader, search: SearchIndex) {
    this.#events = events
    this.#jobs = jobs
    this.#search = search
    this.#keepKey = prepare('keep_idempotency_key')
    this.#readKey = prepare<KeyRow>('read_idempotency_key')
    this.#ensureQueue = prepare('ensure_queue')
    this.#insertJob = prepare('insert_job')
    this.#insertPayload = prepare('insert_job_payload')
    this.#insertLabel = prepare('insert_label')
    this.#insertUnit = prepare('insert_unit')
    this.#insertUnitPayload = prepare('insert_unit_payload')
  }

  /** @throws QueueError invalid_input when the job has no unit */
  submit(job: NewJob): SubmitOutcome {
    if (job.units.length === 0)
      throw new QueueError('invalid_input', `job ${job.id} has no unit, so it could never end`)
    const kept = this.#keepKey.run({
      key: job.idempotencyKey,
      content_hash: job.contentHash,
      job_id: job.id,
      now: job.now,
    })
    if (kept.changes === 0) return this.#answerKnownKey(job)
    this.#ensureQueue.run({ name: job.queue, now: job.now })
    const seq = this.#insert(job)
    this.#insertUnits(seq, job)
    this.#search.add(seq, indexedWords({ ...job, error: null }))
    this.#events.append(
      'job.submitted',
      job.id,
      null,
      { type: job.type, queue: job.queue, units: job.units.length },
      job.now,
    )
    return { kind: 'created', job: createdJob(seq, job) }
  }

  #answerKnownKey(job: NewJob): SubmitOutcome {
    const known = this.#readKey.get({ key: job.idempotencyKey })
    if (known === undefined)
      throw new QueueError('internal', `idempotency key ${job.idempotencyKey} vanished within a transaction`)
    if (known.content_hash !== job.contentHash) {
      return { kind: 'conflict', jobId: known.job_id, createdAt: known.created_at }
    }
    const existing = this.#jobs.read(known.job_id)
    if (existing === null) return { kind: 'existing_pruned', jobId: known.job_id, createdAt: known.created_at }
    return { kind: 'existing', job: existing }
  }

  #insert(job: NewJob): number {
    const inserted = this.#insertJob.run({
      id: job.id,
      queue: job.queue,
      type: job.type,
      name: job.name,
      priority: job.priority,
      run_at: job.runAt,
      concurrency: job.concurrency,
      max_attempts: job.maxAttempts,
      rerun_of: job.rerunOf,
      submitted_by: job.submittedBy,
      now: job.now,
    })
    const seq = inserted.lastInsertRowid as number
    this.#insertPayload.run({ job_seq: seq, params: JSON.stringify(job.params), options: JSON.stringify(job.options) })
    for (const [key, value] of Object.entries(job.labels)) this.#insertLabel.run({ job_seq: seq, key, value })
    return seq
  }

  #insertUnits(seq: number, job: NewJob): void {
    let position = 0
    for (const unit of job.units) {
      const inserted = this.#insertUnit.run({ id: unit.id, job_seq: seq, position, available_at: job.runAt })
      this.#insertUnitPayload.run({ unit_seq: inserted.lastInsertRowid as number, input: JSON.stringify(unit.input) })
      position += 1
    }
  }
}

/** @returns the job as it was just inserted, without reading it back. */
function createdJob(seq: number, job: NewJob): Job {
  const units = job.units.length
  return {
    id: job.id,
    seq,
    type: job.type,
    queue: job.queue,
    name: job.name,
    labels: { ...job.labels },
    priority: job.priority,
    runAt: job.runAt,
    concurrency: job.concurrency,
    maxAttempts: job.maxAttempts,
    rerunOf: job.rerunOf,
    submittedBy: job.submittedBy,
    pausedAt: null,
    frozenAt: null,
    heldAt: null,
    cancelRequestedAt: null,
    cancelReason: null,
    counts: { total: units, available: units, running: 0, completed: 0, failed: 0, cancelled: 0 },
    createdAt: job.now,
    state: 'queued',
    startedAt: null,
    finishedAt: null,
    error: null,
  }
}
