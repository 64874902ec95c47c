import type { Statement } from 'better-sqlite3'
import { type Fence, longestRateWindowMs, type Progress, type RunnerIdentity, type Unit } from '../domain/job.ts'
import type { ClaimOutcome, ClaimRequest } from '../domain/ports/job-store.ts'
import type { EventStore } from './event-store.ts'
import type { JobReader } from './job-reader.ts'
import { toJob } from './job-row.ts'
import type { Binds, Prepare } from './statement-loader.ts'

interface ClaimedRow {
  seq: number
  id: string
  job_seq: number
  position: number
  key: string | null
  limit_key: string | null
  final_step: 0 | 1
  attempt: number
  failures: number
  crashes: number
}

/** Claiming units and what their holder reports until the end. */
export class Claims {
  readonly #events: EventStore
  readonly #jobs: JobReader
  readonly #claim: Statement<[Binds], ClaimedRow>
  readonly #nextDue: Statement<[Binds], { due: number | null }>
  readonly #start: Statement<[Binds]>
  readonly #openAttempts: Statement<[Binds]>
  readonly #setGpuWait: Statement<[Binds]>
  readonly #nameFallbacks: Statement<[Binds]>
  readonly #countStarts: Statement<[Binds]>
  readonly #forgetStarts: Statement<[Binds]>
  readonly #recordRunner: Statement<[Binds]>
  readonly #recordElapsed: Statement<[Binds], { unit_seq: number }>
  readonly #recordProgress: Statement<[Binds]>
  readonly #adoptUnit: Statement<[Binds], { seq: number; job_id: string }>
  readonly #adoptAttempt: Statement<[Binds]>

  constructor(prepare: Prepare, events: EventStore, jobs: JobReader) {
    this.#events = events
    this.#jobs = jobs
    this.#claim = prepare<ClaimedRow>('claim_units')
    this.#nextDue = prepare<{ due: number | null }>('read_next_due')
    this.#start = prepare('start_job')
    this.#openAttempts = prepare('open_attempts')
    this.#setGpuWait = prepare('set_gpu_wait')
    this.#nameFallbacks = prepare('name_fallbacks')
    this.#countStarts = prepare('count_lane_starts')
    this.#forgetStarts = prepare('forget_lane_starts')
    this.#recordRunner = prepare('record_runner')
    this.#recordElapsed = prepare<{ unit_seq: number }>('record_elapsed')
    this.#recordProgress = prepare('record_progress')
    this.#adoptUnit = prepare<{ seq: number; job_id: string }>('adopt_unit')
    this.#adoptAttempt = prepare('adopt_attempt')
  }

  claim(request: ClaimRequest): ClaimOutcome {
    const { jobId, limitKey, limit, workerId, executor, nonce, now } = request
    const claimed = this.#claim.all({
      job_id: jobId,
      for_gpu: forGpu(request),
      limit_key: limitKey,
      limit,
      worker_id: workerId,
      nonce,
      now,
    })
    const [first] = claimed
    if (first === undefined) return { units: [], job: null, nextDueAt: this.#readNextDue(request) }
    // RETURNING promises no order.
    claimed.sort((left, right) => left.position - right.position)
    this.#recordStarts(request, claimed)
    if (this.#start.run({ job_seq: first.job_seq, now }).changes === 1)
      this.#events.append('job.started', jobId, null, {}, now)
    this.#tell(request, claimed)
    const row = this.#jobs.readRow(first.job_seq)
    if (row.gpu !== 'never') this.#notePlacement(request, first.job_seq, claimed)
    const job = toJob(executor === 'gpu' ? { ...row, gpu_waits_since: null } : row)
    const units = claimed.map((row) => toRunningUnit(row, request))
    return { units, job, nextDueAt: this.#readNextDue(request) }
  }

  #readNextDue(request: ClaimRequest): number | null {
    const { jobId, limitKey } = request
    return this.#nextDue.get({ job_id: jobId, for_gpu: forGpu(request), limit_key: limitKey })?.due ?? null
  }

  /** Served by a worker, it waits no more; run here, its attempts say why. */
  #notePlacement({ executor }: ClaimRequest, jobSeq: number, claimed: readonly ClaimedRow[]): void {
    if (executor === 'gpu') this.#setGpuWait.run({ job_seq: jobSeq, since: null })
    else this.#nameFallbacks.run({ unit_seqs: JSON.stringify(claimed.map((row) => row.seq)) })
  }

  #recordStarts(request: ClaimRequest, claimed: readonly ClaimedRow[]): void {
    const { nonce, workerId, executor, mode, now } = request
    const seqs = JSON.stringify(claimed.map((row) => row.seq))
    this.#openAttempts.run({ unit_seqs: seqs, nonce, worker_id: workerId, executor, mode, now })
    const counted = request.countedLanes ?? []
    // One look at the end of an index; without it a manager that lives for months keeps every start.
    if (counted.length > 0) this.#forgetStarts.run({ since: now - longestRateWindowMs })
    for (const { queue, key } of counted) this.#countStarts.run({ queue, key, unit_seqs: seqs, now })
  }

  #tell(request: ClaimRequest, claimed: readonly ClaimedRow[]): void {
    const { jobId, mode, now } = request
    const [first] = claimed
    const last = claimed.at(-1)
    if (first === undefined || last === undefined) return
    if (claimed.length === 1) {
      const data = { position: first.position, attempt: first.attempt, mode }
      this.#events.append('unit.started', jobId, first.id, data, now)
      return
    }
    const data = { count: claimed.length, positions: [first.position, last.position] }
    this.#events.append('units.started', jobId, null, data, now)
  }

  recordRunner(fence: Fence, runner: RunnerIdentity): boolean {
    const { pid, startTime, bootId } = runner
    return this.#recordRunner.run({ ...fenceBinds(fence), pid, start_time: startTime, boot_id: bootId }).changes === 1
  }

  recordProgress(fence: Fence, progress: Progress | null, elapsedMs: number, now: number): boolean {
    const held = this.#recordElapsed.get({ ...fenceBinds(fence), elapsed_ms: Math.round(elapsedMs) })
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

/** Placement is part of the lane: executors of this machine never see what waits for a worker. */
function forGpu({ executor }: ClaimRequest): 0 | 1 {
  return executor === 'gpu' ? 1 : 0
}

function toRunningUnit(row: ClaimedRow, request: ClaimRequest): Unit & { state: 'running' } {
  return {
    id: row.id,
    jobId: request.jobId,
    position: row.position,
    key: row.key,
    limitKey: row.limit_key,
    finalStep: row.final_step === 1,
    attempt: row.attempt,
    failures: row.failures,
    crashes: row.crashes,
    progress: null,
    state: 'running',
    nonce: request.nonce,
    workerId: request.workerId,
  }
}

/** @returns the binds of the guard that every write of a holder carries. */
export function fenceBinds(fence: Fence): { unit_id: string; attempt: number; nonce: string; worker_id: string } {
  return { unit_id: fence.unitId, attempt: fence.attempt, nonce: fence.nonce, worker_id: fence.workerId }
}
