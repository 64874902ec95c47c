import { QueueError } from '../../../src/domain/errors.ts'
import { EpochLostError } from '../../../src/domain/ports/epoch-lost-error.ts'
import type { Watermark } from '../../../src/domain/ports/event-store.ts'
import type { JobStore, NewJob, SubmitOutcome, WorkerRecord } from '../../../src/domain/ports/job-store.ts'
import { InMemoryGpu } from './in-memory-gpu.ts'
import type { ModelJob } from './model-state.ts'
import { viewJob } from './model-views.ts'

/** The port as plain lists and loops: the yardstick of the real store. Transactions are copies put back. */
export class InMemoryJobStore extends InMemoryGpu implements JobStore {
  #epoch: number | null = null
  #depth = 0

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
      if (job.units.length === 0 && job.source === null && !job.keepOpen)
        throw new QueueError('invalid_input', 'no unit')
      const known = this.state.keys.get(job.idempotencyKey)
      if (known !== undefined) return this.#answerKnownKey(known, job.contentHash)
      const missing = this.missingJobs(job.dependencies)
      if (missing.length > 0) return { kind: 'dependency_not_found', jobIds: missing }
      if (this.find(job.id) !== undefined) throw new Error(`job ${job.id} exists`)
      this.state.keys.set(job.idempotencyKey, { contentHash: job.contentHash, jobId: job.id, createdAt: job.now })
      this.ensureQueue(job.queue)
      const created = this.#create(job)
      if (this.addDependencies(created, job.dependencies)) this.requestCancel(job.id, 'dependency', job.now)
      return { kind: 'created', job: viewJob(this.state, created) }
    })
  }

  #create(job: NewJob): ModelJob {
    const { units, source, finalStep, idempotencyKey: _key, contentHash: _hash, now, ...said } = structuredClone(job)
    this.state.lastJobSeq += 1
    const created: ModelJob = {
      ...said,
      seq: this.state.lastJobSeq,
      dependencies: [],
      openDependencies: 0,
      finalStep: finalStep === null ? null : 'waiting',
      finalStepSaid: finalStep,
      sealedAt: source === null && !job.keepOpen ? now : null,
      gpuWaitsSince: null,
      elapsedMs: 0,
      pausedAt: null,
      frozenAt: null,
      heldAt: null,
      holdKind: null,
      decision: null,
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
    const added = this.addUnits(created, units)
    if (source !== null) this.addSource(job.id, source)
    this.tell('job.submitted', job.id, null, { type: job.type, queue: job.queue, units: added.length }, now)
    this.state.notes.jobs.add(job.id)
    return created
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

  #answerKnownKey(
    known: { contentHash: string; jobId: string; createdAt: number },
    contentHash: string,
  ): SubmitOutcome {
    const { jobId, createdAt } = known
    if (known.contentHash !== contentHash) return { kind: 'conflict', jobId, createdAt }
    const job = this.readJob(jobId)
    return job === null ? { kind: 'existing_pruned', jobId, createdAt } : { kind: 'existing', job }
  }
}
