import type { Statement } from 'better-sqlite3'
import { QueueError } from '../domain/errors.ts'
import type { Job } from '../domain/job.ts'
import type { NewJob, SubmitOutcome } from '../domain/ports/job-store.ts'
import type { Cancellations } from './cancellations.ts'
import type { ChangeNotes } from './change-notes.ts'
import type { Dependencies } from './dependencies.ts'
import type { EventStore } from './event-store.ts'
import type { JobReader } from './job-reader.ts'
import { toJob } from './job-row.ts'
import type { SearchIndex } from './search-index.ts'
import { indexedWords } from './search-words.ts'
import { sourceBinds } from './source-row.ts'
import type { Binds, Prepare } from './statement-loader.ts'
import type { UnitInserts } from './unit-inserts.ts'

interface KeyRow {
  content_hash: string
  job_id: string
  created_at: number
}

/** What submitting works with. */
export interface SubmissionParts {
  readonly cancellations: Cancellations
  readonly dependencies: Dependencies
  readonly events: EventStore
  readonly jobs: JobReader
  readonly notes: ChangeNotes
  readonly search: SearchIndex
  readonly unitInserts: UnitInserts
}

/** Submitting: one job with its units, payloads, labels, dependencies, source, key, event and index entry. */
export class Submissions {
  readonly #parts: SubmissionParts
  readonly #keepKey: Statement<[Binds]>
  readonly #readKey: Statement<[Binds], KeyRow>
  readonly #ensureQueue: Statement<[Binds]>
  readonly #insertJob: Statement<[Binds]>
  readonly #insertPayload: Statement<[Binds]>
  readonly #setLabel: Statement<[Binds]>
  readonly #insertSource: Statement<[Binds]>

  constructor(prepare: Prepare, parts: SubmissionParts) {
    this.#parts = parts
    this.#keepKey = prepare('keep_idempotency_key')
    this.#readKey = prepare<KeyRow>('read_idempotency_key')
    this.#ensureQueue = prepare('ensure_queue')
    this.#insertJob = prepare('insert_job')
    this.#insertPayload = prepare('insert_job_payload')
    this.#setLabel = prepare('set_label')
    this.#insertSource = prepare('insert_source')
  }

  /** @throws QueueError invalid_input when the job has no unit and can get none */
  submit(job: NewJob): SubmitOutcome {
    if (job.units.length === 0 && job.source === null && !job.keepOpen)
      throw new QueueError('invalid_input', `job ${job.id} has no unit, so it could never end`)
    const refused = job.dependencies.length === 0 ? null : this.#refuseDependencies(job)
    if (refused !== null) return refused
    const kept = this.#keepKey.run({
      key: job.idempotencyKey,
      content_hash: job.contentHash,
      job_id: job.id,
      now: job.now,
    })
    if (kept.changes === 0) return this.#answerKnownKey(job)
    return { kind: 'created', job: this.#create(job) }
  }

  readKey(key: string): { jobId: string; contentHash: string } | null {
    const known = this.#readKey.get({ key })
    return known === undefined ? null : { jobId: known.job_id, contentHash: known.content_hash }
  }

  /** A repeat is answered before anything of it is looked at: what it waits for may be gone by now. */
  #refuseDependencies(job: NewJob): SubmitOutcome | null {
    if (this.#readKey.get({ key: job.idempotencyKey }) !== undefined) return this.#answerKnownKey(job)
    const missing = this.#parts.dependencies.findMissing(job.dependencies)
    return missing.length === 0 ? null : { kind: 'dependency_not_found', jobIds: missing }
  }

  #answerKnownKey(job: NewJob): SubmitOutcome {
    const known = this.#readKey.get({ key: job.idempotencyKey })
    if (known === undefined)
      throw new QueueError('internal', `idempotency key ${job.idempotencyKey} vanished within a transaction`)
    if (known.content_hash !== job.contentHash) {
      return { kind: 'conflict', jobId: known.job_id, createdAt: known.created_at }
    }
    const existing = this.#parts.jobs.read(known.job_id)
    if (existing === null) return { kind: 'existing_pruned', jobId: known.job_id, createdAt: known.created_at }
    return { kind: 'existing', job: existing }
  }

  #create(job: NewJob): Job {
    const { unitInserts, search, events, notes, dependencies, cancellations, jobs } = this.#parts
    this.#ensureQueue.run({ name: job.queue, now: job.now })
    const seq = this.#insert(job)
    const { added } = unitInserts.insertAll(seq, 0, job.units, job.gpu !== 'never')
    if (job.source !== null) {
      this.#insertSource.run({ job_seq: seq, ...sourceBinds(job.source) })
      notes.add({ kind: 'feed' })
    }
    search.add(seq, indexedWords({ ...job, error: null }))
    events.append('job.submitted', job.id, null, { type: job.type, queue: job.queue, units: added }, job.now)
    notes.add({ kind: 'job', seq })
    if (job.dependencies.length === 0) return createdJob(seq, job, added)
    const isImpossible = dependencies.add(seq, job.dependencies, job.now)
    if (isImpossible) cancellations.request(job.id, 'dependency', job.now)
    return toJob(jobs.readRow(seq))
  }

  #insert(job: NewJob): number {
    const { failureBudget: budget } = job
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
      schedule_id: job.scheduleId,
      sealed_at: isSealed(job) ? job.now : null,
      keep_open: job.keepOpen ? 1 : 0,
      test_units: job.testUnits,
      key_limits: job.keyLimits === null ? null : JSON.stringify(job.keyLimits),
      failure_budget: budget.units,
      failure_budget_percent: budget.percent,
      stop_early: budget.stopEarly ? 1 : 0,
      final_step_state: job.finalStep === null ? null : 'waiting',
      gpu: job.gpu,
      now: job.now,
    })
    const seq = inserted.lastInsertRowid as number
    this.#insertPayload.run({
      job_seq: seq,
      params: JSON.stringify(job.params),
      options: JSON.stringify(job.options),
      context: JSON.stringify(job.context),
      final_step: job.finalStep === null ? null : JSON.stringify(job.finalStep),
      work_hash: job.workHash,
    })
    for (const [key, value] of Object.entries(job.labels)) this.#setLabel.run({ job_seq: seq, key, value })
    return seq
  }
}

/** All its units come in the transaction of its submit. */
function isSealed(job: NewJob): boolean {
  return job.source === null && !job.keepOpen
}

/** @returns the job as it was just inserted, without reading it back. */
function createdJob(seq: number, job: NewJob, units: number): Job {
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
    holdKind: null,
    decision: null,
    sealedAt: isSealed(job) ? job.now : null,
    keepOpen: job.keepOpen,
    testUnits: job.testUnits,
    keyLimits: job.keyLimits,
    openDependencies: 0,
    failureBudget: { ...job.failureBudget },
    finalStep: job.finalStep === null ? null : 'waiting',
    scheduleId: job.scheduleId,
    gpu: job.gpu,
    gpuWaitsSince: null,
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
