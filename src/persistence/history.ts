import type { Statement } from 'better-sqlite3'
import type { Job } from '../domain/job.ts'
import type { AttemptName, DeletedSlice, FinalJobRecord, PruningRecord } from '../domain/ports/history-store.ts'
import type { EventStore } from './event-store.ts'
import { type JobRow, toJob } from './job-row.ts'
import type { Binds, Prepare } from './statement-loader.ts'

/** More records of pruning than anybody reads. */
const keptPrunings = 200
/** What retention does within this time is one record. */
const sameRecordMs = 3_600_000

/** What is remembered of ended work, and how it is deleted. */
export class History {
  readonly #events: EventStore
  readonly #readDurations: Statement<[Binds], { samples_ms: string }>
  readonly #readHeld: Statement<[Binds], JobRow>
  readonly #recordDuration: Statement<[Binds]>
  readonly #nextDurations: Statement<[Binds], { last_hash: string | null }>
  readonly #pruneDurations: Statement<[Binds]>
  readonly #markLeaving: Statement<[Binds]>
  readonly #readLeaving: Statement<[Binds], { id: string }>
  readonly #measure: Statement<[Binds], { bytes: number }>
  readonly #readAttempts: Statement<[Binds], AttemptName>
  readonly #deleteUnits: Statement<[Binds]>
  readonly #deleteJob: Statement<[Binds]>
  readonly #readOldest: Statement<[Binds], JobRow>
  readonly #addToPruning: Statement<[Binds]>
  readonly #recordPruning: Statement<[Binds]>
  readonly #forgetPrunings: Statement<[Binds]>
  readonly #readPruning: Statement<[Binds], PruningRecord>
  readonly #oldestAcknowledged: Statement<[Binds], { acknowledged: number | null }>

  constructor(prepare: Prepare, events: EventStore) {
    this.#events = events
    this.#readDurations = prepare<{ samples_ms: string }>('read_durations')
    this.#readHeld = prepare<JobRow>('read_held_jobs')
    this.#recordDuration = prepare('record_duration')
    this.#nextDurations = prepare<{ last_hash: string | null }>('read_next_durations')
    this.#pruneDurations = prepare('prune_durations')
    this.#markLeaving = prepare('mark_job_leaving')
    this.#readLeaving = prepare<{ id: string }>('read_leaving_jobs')
    this.#measure = prepare<{ bytes: number }>('measure_deleted_units')
    this.#readAttempts = prepare<AttemptName>('read_deleted_attempts')
    this.#deleteUnits = prepare('delete_units_if_final')
    this.#deleteJob = prepare('delete_job_if_final')
    this.#readOldest = prepare<JobRow>('read_oldest_final_jobs')
    this.#addToPruning = prepare('add_to_pruning')
    this.#recordPruning = prepare('record_pruning')
    this.#forgetPrunings = prepare('forget_old_prunings')
    this.#readPruning = prepare<PruningRecord>('read_pruning')
    this.#oldestAcknowledged = prepare<{ acknowledged: number | null }>('read_oldest_acknowledged')
  }

  readHeld(limit: number): Job[] {
    return this.#readHeld.all({ limit }).map((row) => toJob(row))
  }

  /** Told of a job that has just become final. */
  noteSettled(job: JobRow): void {
    if (job.state !== 'completed' || job.count_total !== 1) return
    this.#recordDuration.run({ job_seq: job.seq, now: job.finished_at })
  }

  readDurations(workHash: string): number[] {
    const row = this.#readDurations.get({ work_hash: workHash })
    return row === undefined ? [] : (JSON.parse(row.samples_ms) as number[])
  }

  pruneDurations(before: number, afterHash: string, limit: number): string | null {
    const last = this.#nextDurations.get({ after_hash: afterHash, limit })?.last_hash ?? null
    if (last !== null) this.#pruneDurations.run({ after_hash: afterHash, last_hash: last, before })
    return last
  }

  deleteSlice(jobId: string, limit: number, now: number): DeletedSlice | null {
    const slice = { job_id: jobId, limit }
    const bytes = this.#measure.get(slice)?.bytes ?? 0
    const attempts = this.#readAttempts.all(slice)
    const units = this.#deleteUnits.run(slice).changes
    const done = this.#deleteJob.run({ job_id: jobId }).changes === 1
    if (done) this.#events.append('job.deleted', jobId, null, {}, now)
    else if (units === 0) return null
    else this.#markLeaving.run({ job_id: jobId })
    return { attempts, units, bytes, done }
  }

  readLeaving(limit: number): string[] {
    return this.#readLeaving.all({ limit }).map((row) => row.id)
  }

  readOldestFinal(limit: number): FinalJobRecord[] {
    return this.#readOldest.all({ limit }).map((row) => ({ job: toJob(row), settledEvent: row.settled_event ?? 0 }))
  }

  recordPruning(record: PruningRecord): void {
    const binds = { at: record.at, jobs: record.jobs, bytes: record.bytes, rule: record.rule }
    if (this.#addToPruning.run({ ...binds, since: record.at - sameRecordMs }).changes > 0) return
    this.#recordPruning.run(binds)
    this.#forgetPrunings.run({ keep: keptPrunings })
  }

  readPruning(limit: number): PruningRecord[] {
    return this.#readPruning.all({ limit })
  }

  oldestAcknowledged(): number | null {
    return this.#oldestAcknowledged.get({})?.acknowledged ?? null
  }
}
