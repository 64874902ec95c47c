import type { Statement } from 'better-sqlite3'
import type { JsonObject } from '../domain/job.ts'
import type { EventRecord } from '../domain/ports/event-store.ts'
import type { Binds, Prepare } from './statement-loader.ts'

interface EventRow {
  id: number
  type: string
  job_id: string
  unit_id: string | null
  data: string
  created_at: number
}

/** The outbox: written with every change, read by the event stream. */
export class EventStore {
  readonly #insert: Statement<[Binds]>
  readonly #read: Statement<[Binds], EventRow>
  readonly #last: Statement<[Binds], { seq: number }>
  readonly #lastOfJob: Statement<[Binds], { id: number | null }>
  readonly #first: Statement<[Binds], { id: number | null }>
  readonly #prune: Statement<[Binds]>
  readonly #raiseSequence: Statement<[Binds]>
  readonly #startSequence: Statement<[Binds]>

  constructor(prepare: Prepare) {
    this.#insert = prepare('insert_event')
    this.#read = prepare<EventRow>('read_events')
    this.#last = prepare<{ seq: number }>('last_event_id')
    this.#lastOfJob = prepare<{ id: number | null }>('last_event_id_of_job')
    this.#first = prepare<{ id: number | null }>('first_event_id')
    this.#prune = prepare('prune_events')
    this.#raiseSequence = prepare('raise_event_sequence')
    this.#startSequence = prepare('start_event_sequence')
  }

  /** @returns the id of the event. */
  append(type: string, jobId: string, unitId: string | null, data: JsonObject, now: number): number {
    const done = this.#insert.run({ type, job_id: jobId, unit_id: unitId, data: JSON.stringify(data), now })
    return done.lastInsertRowid as number
  }

  read(afterId: number, limit: number): EventRecord[] {
    return this.#read.all({ after_id: afterId, limit }).map((row) => ({
      id: row.id,
      type: row.type,
      jobId: row.job_id,
      unitId: row.unit_id,
      data: JSON.parse(row.data) as JsonObject,
      createdAt: row.created_at,
    }))
  }

  lastId(): number {
    return this.#last.get({})?.seq ?? 0
  }

  lastIdOfJobs(jobIds: readonly string[]): number {
    return jobIds.reduce((latest, id) => Math.max(latest, this.#lastOfJob.get({ job_id: id })?.id ?? 0), 0)
  }

  firstId(): number {
    return this.#first.get({})?.id ?? 0
  }

  prune(keep: number, limit: number): number {
    return this.#prune.run({ keep, limit }).changes
  }

  /** Ids up to `eventId` are never given (again). */
  raiseSequence(eventId: number): void {
    this.#startSequence.run({ event_id: eventId })
    this.#raiseSequence.run({ event_id: eventId })
  }
}
