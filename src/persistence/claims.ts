import type { Statement } from 'better-sqlite3'
import type { Fence, Progress, RunnerIdentity } from '../domain/job.ts'
import type { ClaimOutcome, ClaimRequest, RunnableJob } from '../domain/ports/job-store.ts'
import type { Priority } from '../domain/states.ts'
import type { EventStore } from './event-store.ts'
import type { JobReader } from './job-reader.ts'
import { toJob } from './job-row.ts'
import type { Binds, Prepare } from './statement-loader.ts'

interface ClaimedRow {
  seq: number
  id: string
  job_seq: number
  position: number
  attempt: number
  failures: number
  crashes: number
}

interface RunnableRow {
  job_id: string
  seq: number
  queue: string
  type: string
  priority: Priority
  next_due_at: number
}

/** Claiming a unit and what its holder reports until the end. */
export class Claims {
  readonly #events: EventStore
  readonly #jobs: JobReader
  readonly #claim: Statement<[Binds], ClaimedRow>
  readonly #nextDue: Statement<[Binds], { due: number | null }>
  readonly #start: Statement<[Binds]>
  readonly #openAttempt: Statement<[Binds]>
  readonly #runnable: Statement<[Binds], RunnableRow>
  readonly #recordRunner: Statement<[Binds]>
  readonly #recordElapsed: Statement<[Binds], { unit_seq: number }>
  readonly #recordProgress: Statement<[Binds]>
  readonly #adoptUnit: Statement<[Binds], { seq: number; job_id: string }>
  readonly #adoptAttempt: Statement<[Binds]>

  constructor(prepare: Prepare, events: EventStore, jobs: JobReader) {
    this.#events = events
    this.#jobs = jobs
    this.#claim = prepare<ClaimedRow>('claim_unit')
    this.#nextDue = prepare<{ due: number | null }>('read_next_due')
    this.#start = prepare('start_job')
    this.#openAttempt = prepare('open_attempt')
    this.#runnable = prepare<RunnableRow>('read_runnable_jobs')
    this.#recordRunner = prepare('record_runner')
    this.#recordElapsed = prepare<{ unit_seq: number }>('record_elapsed')
    this.#recordProgress = prepare('record_progress')
    this.#adoptUnit = prepare<{ seq: number; job_id: string }>('adopt_unit')
    this.#adoptAttempt = prepare('adopt_attempt')
  }

  claim(request: ClaimRequest): ClaimOutcome {
    const { jobId, workerId, nonce, now } = request
    const unit = this.#claim.get({ job_id: jobId, worker_id: workerId, nonce, now })
    if (unit === undefined) return { kind: 'none', nextDueAt: this.#nextDue.get({ job_id: jobId })?.due ?? null }
    this.#openAttempt.run({
      unit_seq: unit.seq,
      attempt: unit.attempt,
      nonce,
      worker_id: workerId,
      executor: request.executor,
      mode: request.mode,
      now,
    })
    const startedNow = this.#start.run({ job_seq: unit.job_seq, now }).changes === 1
    if (startedNow) this.#events.append('job.started', jobId, null, {}, now)
    this.#events.append(
      'unit.started',
      jobId,
      unit.id,
      { position: unit.position, attempt: unit.attempt, mode: request.mode },
      now,
    )
    const row = this.#jobs.readRow(unit.job_seq)
    const underLimit = row.concurrency === null || row.count_running < row.concurrency
    return {
      kind: 'claimed',
      unit: {
        id: unit.id,
        jobId,
        position: unit.position,
        attempt: unit.attempt,
        failures: unit.failures,
        crashes: unit.crashes,
        progress: null,
        state: 'running',
        nonce,
        workerId,
      },
      job: toJob(row),
      moreAvailable: row.count_available > 0 && underLimit && this.#isDue(jobId, now),
    }
  }

  #isDue(jobId: string, now: number): boolean {
    const due = this.#nextDue.get({ job_id: jobId })?.due ?? null
    return due !== null && due <= now
  }

  readRunnable(afterSeq: number, limit: number): RunnableJob[] {
    return this.#runnable.all({ after_seq: afterSeq, limit }).map((row) => ({
      jobId: row.job_id,
      seq: row.seq,
      queue: row.queue,
      type: row.type,
      priority: row.priority,
      nextDueAt: row.next_due_at,
    }))
  }

  recordRunner(fence: Fence, runner: RunnerIdentity): boolean {
    const { pid, startTime, bootId } = runner
    return this.#recordRunner.run({ ...fenceBinds(fence), pid, start_time: startTime, boot_id: bootId }).changes === 1
  }

  recordProgress(fence: Fence, progress: Progress | null, elapsedMs: number, now: number): boolean {
    const held = this.#recordElapsed.get({ ...fenceBinds(fence), elapsed_ms: elapsedMs })
    if (held === undefined) return false
    if (progress !== null) {
      const { current, total, message, stage } = progress
      this.#recordProgress.run({ unit_seq: held.unit_seq, attempt: fence.attempt, current, total, message, stage, now })
    }
    return true
  }

  adopt(fence: Fence, workerId: string, now: number): Fence | null {
    const unit = this.#adoptUnit.get({ ...fenceBinds(fence), new_worker_id: workerId })
    if (unit === undefined) return null
    this.#adoptAttempt.run({ unit_seq: unit.seq, attempt: fence.attempt, worker_id: workerId })
    this.#events.append('unit.adopted', unit.job_id, fence.unitId, { attempt: fence.attempt, worker_id: workerId }, now)
    return { ...fence, workerId }
  }
}

/** @returns the binds of the guard that every write of a holder carries. */
export function fenceBinds(fence: Fence): { unit_id: string; attempt: number; nonce: string; worker_id: string } {
  return { unit_id: fence.unitId, attempt: fence.attempt, nonce: fence.nonce, worker_id: fence.workerId }
}
