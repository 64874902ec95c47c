import { type ErrorRecord, QueueError } from '../../../src/domain/errors.ts'
import type { Fence, Json, JsonObject, Progress, RunnerIdentity, Unit } from '../../../src/domain/job.ts'
import { EpochLostError } from '../../../src/domain/ports/epoch-lost-error.ts'
import type {
  CancelOutcome,
  ClaimOutcome,
  ClaimRequest,
  EndFacts,
  JobStore,
  NewJob,
  SubmitOutcome,
  UnitEnd,
  Watermark,
  WorkerRecord,
} from '../../../src/domain/ports/job-store.ts'
import { poisonLimit } from '../../../src/domain/retry-policy.ts'
import type { AttemptOutcome, CancelReason } from '../../../src/domain/states.ts'
import { InMemoryJobReads, type ModelDatabase } from './in-memory-job-reads.ts'
import { endData, endEvent, lateError, newUnit, poison, settledState } from './model-rules.ts'
import type { ModelJob, ModelUnit } from './model-state.ts'
import { countsOf, unitsOf, viewHeld, viewJob, viewUnit } from './model-views.ts'

/** The port as plain lists and loops: the yardstick of the real store. Transactions are copies put back. */
export class InMemoryJobStore extends InMemoryJobReads implements JobStore {
  readonly #now: () => number
  #epoch: number | null = null
  #depth = 0

  constructor(now: () => number, database?: ModelDatabase) {
    super(database)
    this.#now = now
  }

  atomically<T>(work: () => T): T {
    if (this.#depth === 0 && this.#epoch !== this.state.epoch) throw new EpochLostError(this.#epoch, this.state.epoch)
    const before = structuredClone(this.state)
    this.#depth += 1
    try {
      return work()
    } catch (thrown) {
      this.database.state = before
      throw thrown
    } finally {
      this.#depth -= 1
    }
  }

  isTransactionOpen(): boolean {
    return this.#depth > 0
  }

  raiseEpoch(_holder: string, _now: number): number {
    this.state.epoch += 1
    this.#epoch = this.state.epoch
    return this.#epoch
  }

  submitJob(job: NewJob): SubmitOutcome {
    return this.atomically(() => {
      if (job.units.length === 0) throw new QueueError('invalid_input', 'no unit')
      const known = this.state.keys.get(job.idempotencyKey)
      if (known !== undefined) return this.#answerKnownKey(known, job.contentHash)
      if (this.find(job.id) !== undefined) throw new Error(`job ${job.id} exists`)
      this.state.keys.set(job.idempotencyKey, { contentHash: job.contentHash, jobId: job.id, createdAt: job.now })
      this.state.lastJobSeq += 1
      const { units, idempotencyKey: _key, contentHash: _hash, now, ...said } = structuredClone(job)
      const created: ModelJob = {
        ...said,
        seq: this.state.lastJobSeq,
        pausedAt: null,
        frozenAt: null,
        heldAt: null,
        cancelRequestedAt: null,
        cancelReason: null,
        state: 'queued',
        error: null,
        createdAt: now,
        startedAt: null,
        finishedAt: null,
        settledEvent: null,
      }
      this.state.jobs.push(created)
      for (const [position, { id, input }] of units.entries()) {
        this.state.units.push({ ...newUnit(id, job.id, position, input), availableAt: job.runAt })
      }
      this.#tell('job.submitted', job.id, null, { type: job.type, queue: job.queue, units: units.length }, now)
      return { kind: 'created', job: viewJob(this.state, created) }
    })
  }

  claimUnitIfDue(request: ClaimRequest): ClaimOutcome {
    return this.atomically(() => {
      const { now } = request
      const job = this.find(request.jobId)
      const due = job === undefined ? null : this.nextDue(job)
      if (job === undefined || due === null || due > now) return { kind: 'none', nextDueAt: due }
      if (!this.state.workers.has(request.workerId)) throw new Error(`no worker ${request.workerId}`)
      const [unit] = unitsOf(this.state, job)
        .filter((each) => each.state === 'available')
        .sort((left, right) => left.availableAt - right.availableAt || left.position - right.position)
      if (unit === undefined) throw new Error('due without a unit')
      unit.state = 'running'
      unit.attempt += 1
      unit.nonce = request.nonce
      unit.workerId = request.workerId
      unit.attempts.push({
        attempt: unit.attempt,
        nonce: request.nonce,
        workerId: request.workerId,
        executor: request.executor,
        mode: request.mode,
        outcome: 'running',
        startedAt: now,
        finishedAt: null,
        error: null,
        exitCode: null,
        elapsedMs: 0,
        runner: null,
      })
      if (job.state === 'queued') {
        job.state = 'running'
        job.startedAt = now
        this.#tell('job.started', job.id, null, {}, now)
      }
      const data = { position: unit.position, attempt: unit.attempt, mode: request.mode }
      this.#tell('unit.started', job.id, unit.id, data, now)
      const next = this.nextDue(job)
      const claimed = viewUnit(unit) as Unit & { state: 'running' }
      return {
        kind: 'claimed',
        unit: claimed,
        job: viewJob(this.state, job),
        moreAvailable: next !== null && next <= now,
      }
    })
  }

  recordRunnerIfHeld(fence: Fence, runner: RunnerIdentity): boolean {
    return this.atomically(() => {
      const attempt = this.#held(fence)?.attempts.at(-1)
      if (attempt === undefined) return false
      attempt.runner = { ...runner }
      return true
    })
  }

  recordProgressIfHeld(fence: Fence, progress: Progress | null, elapsedMs: number, _now: number): boolean {
    return this.atomically(() => {
      const unit = this.#held(fence)
      const attempt = unit?.attempts.at(-1)
      if (unit === undefined || attempt === undefined) return false
      attempt.elapsedMs = elapsedMs
      if (progress !== null) unit.progress = { attempt: unit.attempt, value: { ...progress } }
      return true
    })
  }

  adoptUnitIfHeld(fence: Fence, workerId: string): Fence | null {
    return this.atomically(() => {
      const unit = this.#held(fence)
      const attempt = unit?.attempts.at(-1)
      if (unit === undefined || attempt === undefined) return null
      if (!this.state.workers.has(workerId)) throw new Error(`no worker ${workerId}`)
      unit.workerId = workerId
      attempt.workerId = workerId
      this.#tell('unit.adopted', unit.jobId, unit.id, { attempt: unit.attempt, worker_id: workerId }, this.#now())
      return { ...fence, workerId }
    })
  }

  completeUnitIfHeld(fence: Fence, output: Json, facts: EndFacts): UnitEnd | null {
    return this.#end(fence, 'completed', facts, (unit) => {
      unit.output = output
      unit.state = 'completed'
      return facts.error
    })
  }

  failUnitIfHeld(
    fence: Fence,
    outcome: 'failed' | 'timed_out',
    retryAt: number | null,
    output: Json,
    facts: EndFacts,
  ): UnitEnd | null {
    return this.#end(fence, outcome, facts, (unit, job) => {
      unit.output = output
      unit.failures += 1
      if (retryAt !== null) unit.availableAt = retryAt
      unit.state = retryAt !== null && unit.failures < job.maxAttempts ? 'available' : 'failed'
      return facts.error
    })
  }

  loseUnitIfHeld(
    fence: Fence,
    options: { mayRerun: boolean; countsAsCrash: boolean; retryAt: number },
    facts: EndFacts,
  ): UnitEnd | null {
    return this.#end(fence, 'lost', facts, (unit, job) => {
      if (options.countsAsCrash) unit.crashes += 1
      unit.availableAt = options.retryAt
      const isPoison = options.countsAsCrash && unit.crashes >= poisonLimit
      unit.state = options.mayRerun && !isPoison ? 'available' : 'failed'
      return isPoison && job.cancelRequestedAt === null ? poison(unit.crashes, facts.error) : facts.error
    })
  }

  releaseUnitIfHeld(fence: Fence, facts: EndFacts): UnitEnd | null {
    return this.#end(fence, 'released', facts, (unit) => {
      unit.availableAt = facts.now
      unit.state = 'available'
      return facts.error
    })
  }

  cancelUnitIfHeld(fence: Fence, output: Json, facts: EndFacts): UnitEnd | null {
    const unit = this.#held(fence)
    if (unit === undefined || this.#jobOf(unit).cancelRequestedAt === null) return null
    return this.#end(fence, 'cancelled', facts, (held) => {
      held.output = output
      held.state = 'cancelled'
      return facts.error
    })
  }

  shiftRetries(byMs: number): number {
    return this.atomically(() => {
      const waiting = this.state.units.filter((unit) => unit.state === 'available' && unit.attempt > 0)
      const moved = waiting.filter((unit) => unit.availableAt > 0)
      for (const unit of moved) unit.availableAt = Math.max(0, unit.availableAt + byMs)
      return moved.length
    })
  }

  requestCancel(jobId: string, reason: CancelReason, now: number): CancelOutcome {
    return this.atomically(() => {
      const job = this.find(jobId)
      if (job === undefined) return { kind: 'not_found' }
      if (job.finishedAt !== null) return { kind: 'already_final', job: viewJob(this.state, job) }
      if (job.cancelRequestedAt === null) {
        job.cancelRequestedAt = now
        job.cancelReason = reason
        const available = unitsOf(this.state, job).filter((unit) => unit.state === 'available')
        for (const unit of available) {
          unit.state = 'cancelled'
          unit.finishedAt = now
        }
        this.#tell('job.cancel_requested', jobId, null, { reason, units_cancelled: available.length }, now)
        if (this.#settle(job, now)) return { kind: 'cancelled', job: viewJob(this.state, job) }
      }
      const held = unitsOf(this.state, job).filter((unit) => unit.state === 'running')
      return {
        kind: 'cancelling',
        job: viewJob(this.state, job),
        held: held.map((unit) => viewHeld(this.state, unit)),
      }
    })
  }

  registerWorker(worker: WorkerRecord, _now: number, leaseExpiresAt: number): void {
    this.atomically(() => this.state.workers.set(worker.id, { ...worker, leaseExpiresAt, stoppedAt: null }))
  }

  heartbeatWorker(workerId: string, _now: number, leaseExpiresAt: number): boolean {
    return this.atomically(() => {
      const worker = this.state.workers.get(workerId)
      if (worker === undefined || worker.stoppedAt !== null) return false
      worker.leaseExpiresAt = leaseExpiresAt
      return true
    })
  }

  stopWorker(workerId: string, now: number): void {
    this.atomically(() => {
      const worker = this.state.workers.get(workerId)
      if (worker === undefined || worker.stoppedAt !== null) return
      worker.stoppedAt = now
      worker.leaseExpiresAt = Math.min(worker.leaseExpiresAt, now)
    })
  }

  recordShown(reader: string, eventId: number): void {
    this.atomically(() => {
      const { acknowledged, shown } = this.readWatermark(reader)
      this.state.watermarks.set(reader, { acknowledged, shown: Math.max(shown, eventId) })
    })
  }

  acknowledge(reader: string, eventId: number): Watermark {
    return this.atomically(() => {
      const mark = this.readWatermark(reader)
      const moved = { acknowledged: Math.max(mark.acknowledged, eventId), shown: Math.max(mark.shown, eventId) }
      this.state.watermarks.set(reader, moved)
      return moved
    })
  }

  pruneEvents(keep: number, limit: number): number {
    return this.atomically(() => {
      const surplus = Math.min(limit, Math.max(0, this.state.events.length - keep))
      this.state.events.splice(0, surplus)
      return surplus
    })
  }

  #end(
    fence: Fence,
    outcome: Exclude<AttemptOutcome, 'running'>,
    facts: EndFacts,
    change: (unit: ModelUnit, job: ModelJob) => ErrorRecord | null,
  ): UnitEnd | null {
    return this.atomically(() => {
      const unit = this.#held(fence)
      const attempt = unit?.attempts.at(-1)
      if (unit === undefined || attempt === undefined) return null
      const job = this.#jobOf(unit)
      const error = change(unit, job)
      if (job.cancelRequestedAt !== null && outcome !== 'completed') unit.state = 'cancelled'
      unit.nonce = null
      unit.workerId = null
      if (unit.state !== 'available') unit.finishedAt = facts.now
      const { exitCode, elapsedMs, now } = facts
      Object.assign(attempt, { outcome, error, exitCode, elapsedMs, finishedAt: now })
      this.#tell(endEvent(unit.state, outcome), job.id, unit.id, endData(unit, outcome, error), now)
      const settled = this.#settle(job, now)
      return { unit: viewUnit(unit), job: viewJob(this.state, job), settled }
    })
  }

  #settle(job: ModelJob, now: number): boolean {
    const counts = countsOf(this.state, job)
    if (counts.available + counts.running > 0) return false
    const { completed, failed, cancelled } = counts
    const state = settledState(job.cancelReason, failed, cancelled)
    job.state = state
    job.finishedAt = now
    const broken = unitsOf(this.state, job).find((unit) => unit.state === 'failed')
    job.error =
      broken?.attempts.at(-1)?.error ?? (state === 'failed' && job.cancelReason === 'deadline' ? lateError : null)
    job.settledEvent = this.#tell(`job.${state}`, job.id, null, { completed, failed, cancelled }, now)
    return true
  }

  #answerKnownKey(
    known: { contentHash: string; jobId: string; createdAt: number },
    contentHash: string,
  ): SubmitOutcome {
    const { jobId, createdAt } = known
    if (known.contentHash !== contentHash) return { kind: 'conflict', jobId, createdAt }
    const job = this.readJob(jobId)
    return job === null ? { kind: 'existing_pruned', jobId, createdAt } : { kind: 'existing', job }
  }

  #held(fence: Fence): ModelUnit | undefined {
    return this.state.units.find(
      (unit) =>
        unit.id === fence.unitId &&
        unit.state === 'running' &&
        unit.attempt === fence.attempt &&
        unit.nonce === fence.nonce &&
        unit.workerId === fence.workerId,
    )
  }

  #jobOf(unit: ModelUnit): ModelJob {
    const job = this.find(unit.jobId)
    if (job === undefined) throw new Error(`unit ${unit.id} has no job`)
    return job
  }

  #tell(type: string, jobId: string, unitId: string | null, data: JsonObject, createdAt: number): number {
    this.state.lastEventId += 1
    const id = this.state.lastEventId
    this.state.events.push({ id, type, jobId, unitId, data, createdAt })
    return id
  }
}
