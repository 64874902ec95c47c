import type { Statement } from 'better-sqlite3'
import { type ErrorRecord, errorKinds } from '../domain/errors.ts'
import type { Fence, Json, JsonObject } from '../domain/job.ts'
import type { GpuReturn } from '../domain/ports/gpu-store.ts'
import type { EndFacts, UnitEnd } from '../domain/ports/job-store.ts'
import { poisonLimit } from '../domain/retry-policy.ts'
import type { AttemptOutcome } from '../domain/states.ts'
import type { ChangeNotes } from './change-notes.ts'
import { fenceBinds } from './claims.ts'
import type { EarlyStop } from './early-stop.ts'
import type { EventStore } from './event-store.ts'
import type { JobReader } from './job-reader.ts'
import { type JobRow, toJob } from './job-row.ts'
import type { Settlement } from './settlement.ts'
import type { Binds, Prepare } from './statement-loader.ts'
import { type ChangedUnitRow, type ProgressRow, toUnit } from './unit-row.ts'

/** What ends work with. */
export interface EndingParts {
  readonly events: EventStore
  readonly jobs: JobReader
  readonly notes: ChangeNotes
  readonly settlement: Settlement
  readonly earlyStop: EarlyStop
}

/** The ends of an attempt: each a fenced change of the unit, its attempt, its job and their events. */
export class Endings {
  readonly #parts: EndingParts
  readonly #storeOutput: Statement<[Binds]>
  readonly #complete: Statement<[Binds], ChangedUnitRow>
  readonly #fail: Statement<[Binds], ChangedUnitRow>
  readonly #lose: Statement<[Binds], ChangedUnitRow>
  readonly #release: Statement<[Binds], ChangedUnitRow>
  readonly #return: Statement<[Binds], ChangedUnitRow>
  readonly #noteGpuReturn: Statement<[Binds]>
  readonly #cancel: Statement<[Binds], ChangedUnitRow>
  readonly #closeAttempt: Statement<[Binds]>
  readonly #readProgress: Statement<[Binds], ProgressRow>
  readonly #endFinalStep: Statement<[Binds]>

  constructor(prepare: Prepare, parts: EndingParts) {
    this.#parts = parts
    this.#storeOutput = prepare('store_output')
    this.#complete = prepare<ChangedUnitRow>('complete_unit')
    this.#fail = prepare<ChangedUnitRow>('fail_unit')
    this.#lose = prepare<ChangedUnitRow>('lose_unit')
    this.#release = prepare<ChangedUnitRow>('release_unit')
    this.#return = prepare<ChangedUnitRow>('return_unit')
    this.#noteGpuReturn = prepare('note_gpu_return')
    this.#cancel = prepare<ChangedUnitRow>('cancel_unit')
    this.#closeAttempt = prepare('close_attempt')
    this.#readProgress = prepare<ProgressRow>('read_progress')
    this.#endFinalStep = prepare('end_final_step')
  }

  complete(fence: Fence, output: Json, facts: EndFacts): UnitEnd | null {
    if (!this.#keepOutput(fence, output, 'completed')) return null
    const unit = this.#complete.get({ ...fenceBinds(fence), now: facts.now })
    return unit === undefined ? null : this.#finish(unit, 'completed', facts, facts.error)
  }

  fail(
    fence: Fence,
    outcome: 'failed' | 'timed_out',
    retryAt: number | null,
    output: Json,
    facts: EndFacts,
  ): UnitEnd | null {
    if (!this.#keepOutput(fence, output)) return null
    const unit = this.#fail.get({ ...fenceBinds(fence), retry_at: retryAt, now: facts.now })
    return unit === undefined ? null : this.#finish(unit, outcome, facts, facts.error)
  }

  lose(
    fence: Fence,
    options: { mayRerun: boolean; countsAsCrash: boolean; retryAt: number },
    facts: EndFacts,
  ): UnitEnd | null {
    const unit = this.#lose.get({
      ...fenceBinds(fence),
      may_rerun: options.mayRerun ? 1 : 0,
      crash: options.countsAsCrash ? 1 : 0,
      poison_limit: poisonLimit,
      retry_at: options.retryAt,
      now: facts.now,
    })
    if (unit === undefined) return null
    const poisoned = unit.state === 'failed' && options.countsAsCrash && unit.crashes >= poisonLimit
    return this.#finish(unit, 'lost', facts, poisoned ? poisonRecord(unit.crashes, facts.error) : facts.error)
  }

  release(fence: Fence, facts: EndFacts): UnitEnd | null {
    const unit = this.#release.get({ ...fenceBinds(fence), available_at: facts.now, now: facts.now })
    return unit === undefined ? null : this.#finish(unit, 'released', facts, facts.error)
  }

  defer(fence: Fence, until: number, output: Json, facts: EndFacts): UnitEnd | null {
    if (!this.#keepOutput(fence, output)) return null
    const unit = this.#release.get({ ...fenceBinds(fence), available_at: until, now: facts.now })
    return unit === undefined ? null : this.#finish(unit, 'rate_limited', facts, facts.error)
  }

  /** A GPU worker did not bring it to an end: it is released, for another worker or for this machine. */
  returned(fence: Fence, { to, restarted, availableAt }: GpuReturn, facts: EndFacts): UnitEnd | null {
    const unit = this.#return.get({
      ...fenceBinds(fence),
      for_gpu: to === 'gpu' ? 1 : 0,
      available_at: availableAt ?? facts.now,
      now: facts.now,
    })
    if (unit === undefined) return null
    const reason = to === 'gpu' ? null : JSON.stringify(facts.error)
    if (restarted || reason !== null)
      this.#noteGpuReturn.run({ unit_seq: unit.seq, restarted: restarted ? 1 : 0, reason })
    return this.#finish(unit, 'released', facts, facts.error)
  }

  cancel(fence: Fence, output: Json, facts: EndFacts): UnitEnd | null {
    if (!this.#keepOutput(fence, output, 'cancelled')) return null
    const unit = this.#cancel.get({ ...fenceBinds(fence), now: facts.now })
    return unit === undefined ? null : this.#finish(unit, 'cancelled', facts, facts.error)
  }

  #keepOutput(fence: Fence, output: Json, state?: 'completed' | 'cancelled'): boolean {
    const binds = {
      ...fenceBinds(fence),
      output: JSON.stringify(output),
      completed: state === 'completed' ? 1 : 0,
      only_cancelling: state === 'cancelled' ? 1 : 0,
    }
    return this.#storeOutput.run(binds).changes === 1
  }

  #finish(
    unit: ChangedUnitRow,
    outcome: Exclude<AttemptOutcome, 'running'>,
    facts: EndFacts,
    error: ErrorRecord | null,
  ): UnitEnd {
    this.#closeAttempt.run({
      unit_seq: unit.seq,
      attempt: unit.attempt,
      outcome,
      exit_code: facts.exitCode,
      error: error === null ? null : JSON.stringify(error),
      elapsed_ms: Math.round(facts.elapsedMs),
      output_bytes: facts.outputBytes,
      dropped_bytes: facts.droppedBytes,
      now: facts.now,
    })
    if (unit.final_step === 1 && unit.finished_at !== null) this.#endFinalStep.run({ job_seq: unit.job_seq })
    const { events, jobs, settlement } = this.#parts
    const row = jobs.readRow(unit.job_seq)
    events.append(eventType(unit, outcome), row.id, unit.id, eventData(unit, outcome, error), facts.now)
    // Any end, not only a failure, may make the units that ended enough to judge a share by.
    const judged = unit.final_step === 1 ? row : this.#parts.earlyStop.judge(row, facts.now)
    const job = settlement.advance(judged, facts.now)
    this.#note(unit, job)
    const progress = this.#readProgress.get({ unit_seq: unit.seq, attempt: unit.attempt }) ?? noProgress
    return {
      unit: toUnit({ ...unit, ...progress, job_id: row.id, nonce: null, leased_by: null }),
      job: toJob(job),
      settled: job.finished_at !== null,
    }
  }

  #note(unit: ChangedUnitRow, job: JobRow): void {
    if (job.finished_at !== null) return
    const { notes } = this.#parts
    if (job.concurrency !== null && job.count_available > 0) notes.add({ kind: 'job', seq: job.seq })
    else if (unit.state === 'available') notes.add({ kind: 'lane', seq: job.seq, limitKey: unit.limit_key })
  }
}

const noProgress: ProgressRow = {
  progress_current: null,
  progress_total: null,
  progress_message: null,
  progress_stage: null,
}

function eventType(unit: ChangedUnitRow, outcome: AttemptOutcome): string {
  if (unit.state !== 'available') return `unit.${unit.state}`
  return outcome === 'failed' || outcome === 'timed_out' ? 'unit.retrying' : `unit.${outcome}`
}

function eventData(unit: ChangedUnitRow, outcome: AttemptOutcome, error: ErrorRecord | null): JsonObject {
  return {
    position: unit.position,
    attempt: unit.attempt,
    outcome,
    ...(error === null ? {} : { error_code: error.code }),
    ...(unit.state === 'available' ? { available_at: unit.available_at } : {}),
  }
}

function poisonRecord(crashes: number, last: ErrorRecord | null): ErrorRecord {
  return {
    code: 'poison',
    message: `${crashes} attempts of the unit died without an outcome${last === null ? '' : `; the last: ${last.message}`}`,
    remedy: errorKinds.poison.remedy,
    ...(last === null ? {} : { details: { last_code: last.code } }),
  }
}
