import type { Statement } from 'better-sqlite3'
import type { JobOptions } from '../domain/job.ts'
import type { AppendOutcome, NewSource, NewUnit, OpenSource, SourceProgress } from '../domain/ports/source-store.ts'
import type { ChangeNotes } from './change-notes.ts'
import type { EventStore } from './event-store.ts'
import type { JobReader } from './job-reader.ts'
import { type JobRow, toJob } from './job-row.ts'
import type { Settlement } from './settlement.ts'
import { type SourceRow, sourceBinds, toSource } from './source-row.ts'
import type { Binds, Prepare } from './statement-loader.ts'
import type { InsertedUnits, UnitInserts } from './unit-inserts.ts'

/** What sources work with. */
export interface SourceParts {
  readonly events: EventStore
  readonly jobs: JobReader
  readonly notes: ChangeNotes
  readonly settlement: Settlement
  readonly unitInserts: UnitInserts
}

/** Units that come while their job runs. */
export class Sources {
  readonly #parts: SourceParts
  readonly #insert: Statement<[Binds]>
  readonly #unseal: Statement<[Binds]>
  readonly #seal: Statement<[Binds]>
  readonly #readOpen: Statement<[Binds], SourceRow>
  readonly #readUnfed: Statement<[Binds], SourceRow>
  readonly #readSpoolFiles: Statement<[Binds], { spec: string }>
  readonly #read: Statement<[Binds], { job_seq: number }>
  readonly #move: Statement<[Binds], { added: number; skipped: number }>
  readonly #totals: Statement<[Binds], { waiting: number; skipped: number }>

  constructor(prepare: Prepare, parts: SourceParts) {
    this.#parts = parts
    this.#insert = prepare('insert_source')
    this.#unseal = prepare('unseal_job')
    this.#seal = prepare('seal_job')
    this.#readOpen = prepare<SourceRow>('read_open_sources')
    this.#readUnfed = prepare<SourceRow>('read_unfed_sources')
    this.#readSpoolFiles = prepare<{ spec: string }>('read_spool_files')
    this.#read = prepare<{ job_seq: number }>('read_source')
    this.#move = prepare<{ added: number; skipped: number }>('move_source')
    this.#totals = prepare<{ waiting: number; skipped: number }>('read_source_totals')
  }

  append(jobId: string, source: NewSource, now: number): AppendOutcome {
    const { jobs, events, notes, settlement } = this.#parts
    const row = jobs.findRow(jobId)
    if (row === null) return { kind: 'not_found' }
    if (row.finished_at !== null) return { kind: 'already_final' }
    if (row.cancel_requested_at !== null) return { kind: 'cancelling' }
    // The final step takes what all units gave: none may come after it.
    if (row.final_step_state === 'running' || row.final_step_state === 'done') return { kind: 'already_final' }
    const inserted = this.#insert.run({ job_seq: row.seq, ...sourceBinds(source) })
    this.#unseal.run({ job_seq: row.seq })
    events.append('job.source_added', jobId, null, { items: source.total }, now)
    notes.add({ kind: 'feed' })
    const job = settlement.advance(jobs.readRow(row.seq), now)
    return { kind: 'appended', job: toJob(job), sourceSeq: inserted.lastInsertRowid as number }
  }

  readOpen(limit: number): OpenSource[] {
    return this.#readOpen.all({ limit }).map((row) => this.#toOpenSource(row))
  }

  readUnfed(jobId: string): OpenSource[] {
    const job = this.#parts.jobs.findRow(jobId)
    return job === null ? [] : this.#readUnfed.all({ job_seq: job.seq }).map((row) => this.#toOpenSource(row))
  }

  readSpoolFiles(): string[] {
    return this.#readSpoolFiles.all({}).map(({ spec }) => (JSON.parse(spec) as { file: string }).file)
  }

  #toOpenSource(row: SourceRow): OpenSource {
    return {
      seq: row.seq,
      job: toJob(this.#parts.jobs.readRow(row.job_seq)),
      source: toSource(row),
      options: JSON.parse(row.options) as JobOptions,
      cursor: row.cursor,
      added: row.added,
      skipped: row.skipped,
    }
  }

  insert(
    sourceSeq: number,
    batch: { units: readonly NewUnit[]; cursor: number; done: boolean },
    now: number,
  ): SourceProgress | null {
    const source = this.#read.get({ source_seq: sourceSeq })
    if (source === undefined) return null
    const { jobs, events, notes, settlement, unitInserts } = this.#parts
    const before = jobs.readRow(source.job_seq)
    const inserted = unitInserts.insertAll(before.seq, before.count_total, batch.units, before.gpu !== 'never')
    const moved = this.#move.get({
      source_seq: sourceSeq,
      cursor: batch.cursor,
      added: inserted.added,
      skipped: inserted.skipped,
      done_at: batch.done ? now : null,
    })
    if (inserted.added > 0) {
      const data = { count: inserted.added, skipped: inserted.skipped }
      events.append('job.units_added', before.id, null, data, now)
    }
    this.#note(before, inserted)
    if (batch.done) this.#seal.run({ job_seq: before.seq, now })
    else notes.add({ kind: 'feed' })
    const job = settlement.advance(jobs.readRow(before.seq), now)
    return { added: moved?.added ?? 0, skipped: moved?.skipped ?? 0, job: toJob(job) }
  }

  readTotals(jobId: string): { waiting: number; skipped: number } {
    const row = this.#parts.jobs.findRow(jobId)
    const totals = row === null ? undefined : this.#totals.get({ job_seq: row.seq })
    return totals ?? { waiting: 0, skipped: 0 }
  }

  #note(job: JobRow, inserted: InsertedUnits): void {
    for (const limitKey of inserted.limitKeys) this.#parts.notes.add({ kind: 'lane', seq: job.seq, limitKey })
  }
}
