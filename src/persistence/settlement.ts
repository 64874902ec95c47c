import type { Statement } from 'better-sqlite3'
import { errorOfCancel } from '../domain/cancel-errors.ts'
import { QueueError } from '../domain/errors.ts'
import type { FinalJobState } from '../domain/states.ts'
import type { ChangeNotes } from './change-notes.ts'
import type { Dependencies } from './dependencies.ts'
import type { EventStore } from './event-store.ts'
import { finalStateOf } from './failure-budget.ts'
import { type JobReader, toFinalStep } from './job-reader.ts'
import { type JobRow, toJob } from './job-row.ts'
import type { JobStops } from './job-stops.ts'
import type { SearchIndex } from './search-index.ts'
import type { Binds, Prepare } from './statement-loader.ts'
import type { UnitInserts } from './unit-inserts.ts'

interface SettlementRow {
  /** Of the failed unit with the lowest position; JSON. */
  error: string | null
  final_step: string | null
  is_cut_short: 0 | 1
}

/** What settling works with. */
export interface SettlementParts {
  readonly dependencies: Dependencies
  readonly events: EventStore
  readonly jobs: JobReader
  readonly notes: ChangeNotes
  readonly search: SearchIndex
  readonly stops: JobStops
  readonly unitInserts: UnitInserts
  /** Told of every job that became final, in its transaction. */
  readonly noteSettled: (job: JobRow) => void
}

/** Brings a job on whose units can move no more: to its review, its final step, its end and that of jobs that wait for it. */
export class Settlement {
  readonly #parts: SettlementParts
  readonly #read: Statement<[Binds], SettlementRow>
  readonly #settleRow: Statement<[Binds]>
  readonly #sourceTotals: Statement<[Binds], { waiting: number }>
  readonly #hold: Statement<[Binds]>
  readonly #readFinalStep: Statement<[Binds], { final_step: string | null }>
  readonly #startFinalStep: Statement<[Binds]>

  constructor(prepare: Prepare, parts: SettlementParts) {
    this.#parts = parts
    this.#read = prepare<SettlementRow>('read_settlement')
    this.#settleRow = prepare('settle_job')
    this.#sourceTotals = prepare<{ waiting: number }>('read_source_totals')
    this.#hold = prepare('hold_job_for_review')
    this.#readFinalStep = prepare<{ final_step: string | null }>('read_final_step')
    this.#startFinalStep = prepare('start_final_step')
  }

  /** @param job as it is now @returns the job after it; final when it has settled */
  advance(job: JobRow, now: number): JobRow {
    const advanced = this.#step(job, now)
    if (advanced.finished_at !== null && job.finished_at === null) this.#tellDependents(advanced, now)
    return advanced
  }

  #step(job: JobRow, now: number): JobRow {
    if (job.finished_at !== null || job.count_available > 0 || job.count_running > 0) return job
    if (job.cancel_requested_at === null) {
      if (job.sealed_at === null) return this.#holdForReview(job, now)
      if (job.open_dependencies > 0) return job
      if (job.final_step_state === 'waiting') return this.#beginFinalStep(job, now)
    }
    return job.final_step_state === 'running' ? job : this.#settle(job, now)
  }

  /** The test units have ended and more wait: a person decides. */
  #holdForReview(job: JobRow, now: number): JobRow {
    if (job.test_units === null || job.decision !== null || job.held_at !== null) return job
    if (job.count_total < job.test_units) return job
    if ((this.#sourceTotals.get({ job_seq: job.seq })?.waiting ?? 0) === 0) return job
    this.#hold.run({ job_seq: job.seq, now })
    this.#parts.events.append('job.held', job.id, null, { kind: 'review', units: job.count_total }, now)
    return { ...job, held_at: now, hold_kind: 'review' }
  }

  #beginFinalStep(job: JobRow, now: number): JobRow {
    const { unitInserts, events, notes } = this.#parts
    const finalStep = toFinalStep(this.#readFinalStep.get({ job_seq: job.seq })?.final_step ?? null)
    if (finalStep === null) throw new QueueError('internal', `job ${job.id} has lost its final step`)
    unitInserts.insertFinalStep(job.seq, job.count_total, finalStep.unitId)
    this.#startFinalStep.run({ job_seq: job.seq })
    events.append('job.final_step', job.id, finalStep.unitId, { position: job.count_total }, now)
    notes.add({ kind: 'lane', seq: job.seq, limitKey: null })
    return { ...job, final_step_state: 'running' }
  }

  #settle(job: JobRow, now: number): JobRow {
    const { events, search, notes } = this.#parts
    const { state, error } = this.#endOf(job)
    const counts = { completed: job.count_completed, failed: job.count_failed, cancelled: job.count_cancelled }
    const eventId = events.append(`job.${state}`, job.id, null, counts, now)
    const done = this.#settleRow.run({ job_seq: job.seq, state, error, event_id: eventId, now })
    if (done.changes !== 1) throw new QueueError('internal', `job ${job.id} could not be settled as ${state}`)
    if (error !== null) search.refresh(job.seq)
    const settled = { ...job, state, error, settled_event: eventId, finished_at: now }
    notes.add({ kind: 'settled', job: toJob(settled) })
    this.#parts.noteSettled(settled)
    return settled
  }

  #endOf(job: JobRow): { state: FinalJobState; error: string | null } {
    // Nothing to look up for most jobs.
    if (job.count_completed === job.count_total && job.cancel_reason === null && job.final_step_state === null) {
      return { state: 'completed', error: null }
    }
    const row = this.#read.get({ job_seq: job.seq })
    if (row === undefined) throw new QueueError('internal', `job ${job.id} has no counts`)
    const state = finalStateOf(job, { finalStep: row.final_step, isCutShort: row.is_cut_short === 1 })
    if (state === 'completed') return { state, error: null }
    return { state, error: row.error ?? errorOfReason(job, state) }
  }

  /** One after the other: a chain of ten thousand jobs must not be ten thousand calls deep. */
  #tellDependents(first: JobRow, now: number): void {
    const { dependencies, stops, jobs } = this.#parts
    const ended: JobRow[] = [first]
    for (let job = ended.pop(); job !== undefined; job = ended.pop()) {
      const state = job.state as FinalJobState
      for (const dependent of dependencies.close(job.id, state, now)) {
        if (dependent.finished_at !== null) continue
        dependencies.countDown(dependent.job_seq)
        const isImpossible = dependent.condition === 'completed' && state !== 'completed'
        if (isImpossible) stops.stop(dependent.id, 'dependency', now)
        const row = jobs.readRow(dependent.job_seq)
        if (row.open_dependencies === 0 && !isImpossible) this.#unblock(row, now)
        const advanced = this.#step(row, now)
        if (advanced.finished_at !== null) ended.push(advanced)
      }
    }
  }

  #unblock(job: JobRow, now: number): void {
    this.#parts.events.append('job.unblocked', job.id, null, {}, now)
    this.#parts.notes.add({ kind: 'job', seq: job.seq })
  }
}

function errorOfReason(job: JobRow, state: FinalJobState): string | null {
  const record = state === 'failed' ? errorOfCancel(job.cancel_reason) : null
  return record === null ? null : JSON.stringify(record)
}
