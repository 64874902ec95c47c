import type { Database } from 'better-sqlite3'
import type { Clock } from '../domain/clock.ts'
import { QueueError } from '../domain/errors.ts'
import type { Attempt, Fence, Job, Json, Progress, RunnerIdentity, Unit } from '../domain/job.ts'
import type {
  CancelOutcome,
  ClaimOutcome,
  ClaimRequest,
  EndFacts,
  EventRecord,
  HeldUnit,
  JobFilter,
  JobPayload,
  JobStore,
  NewJob,
  RunnableJob,
  Statistics,
  SubmitOutcome,
  UnitEnd,
  Watermark,
  WorkerRecord,
} from '../domain/ports/job-store.ts'
import type { CancelReason } from '../domain/states.ts'
import { verifyQuickly } from './connection.ts'
import { toStorageError } from './storage-errors.ts'
import { createStoreParts, type StoreParts } from './store-parts.ts'

/** The JobStore on one SQLite connection. Contracts are at the port; SQL is in statements/. */
export class SqliteJobStore implements JobStore {
  readonly #connect: () => Database
  readonly #clock: Clock
  #database: Database
  #parts: StoreParts
  #epoch: number | null = null
  #instanceId: string | null

  /** @param connect opens a checked connection to the same database; called again by `reopen` */
  constructor(connect: () => Database, clock: Clock) {
    this.#connect = connect
    this.#clock = clock
    this.#database = connect()
    this.#parts = createStoreParts(this.#database)
    this.#instanceId = this.#parts.instance.read()
  }

  /** The epoch this store raised; null before. */
  get epoch(): number | null {
    return this.#epoch
  }

  /** Closes the connection, checkpointing the WAL. Idempotent. */
  close(): void {
    this.#database.close()
  }

  /**
   * Closes and opens again, with every check of the first open: after an I/O error nothing of the old connection is trusted.
   * The epoch stays; when another manager has raised it meanwhile, the next write says so.
   * @throws QueueError storage_refused when it is damaged or another database now, and what opening throws
   */
  reopen(): void {
    try {
      this.#database.close()
    } catch {
      // A connection that cannot even close is left to the garbage collector.
    }
    const database = this.#connect()
    const parts = createStoreParts(database)
    try {
      verifyQuickly(database)
      const found = parts.instance.read()
      if (this.#instanceId !== null && found !== this.#instanceId) {
        throw new QueueError(
          'storage_refused',
          `the database belonged to instance ${this.#instanceId} and now to ${found ?? 'none'}: it was replaced while in use`,
        )
      }
    } catch (thrown) {
      database.close()
      throw toStorageError(thrown)
    }
    this.#database = database
    this.#parts = parts
  }

  /** The instance this database belongs to; null in a new one. */
  instanceId(): string | null {
    this.#instanceId = this.#read((parts) => parts.instance.read())
    return this.#instanceId
  }

  /** Makes a new database belong to an instance; needs no epoch. */
  adoptInstanceId(instanceId: string, now: number): void {
    this.#parts.transactions.runUnguarded(() => this.#parts.instance.insert(instanceId, now))
    this.#instanceId = instanceId
  }

  /** Event ids up to `eventId` are never given again; needs no epoch. For a backup that a person put back on purpose. */
  raiseEventSequence(eventId: number): void {
    this.#parts.transactions.runUnguarded(() => this.#parts.events.raiseSequence(eventId))
  }

  atomically<T>(work: () => T): T {
    return this.#parts.transactions.run(this.#epoch, work)
  }

  isTransactionOpen(): boolean {
    return this.#database.inTransaction
  }

  raiseEpoch(holder: string, now: number): number {
    const { transactions, instance } = this.#parts
    this.#epoch = transactions.runUnguarded(() => instance.raiseEpoch(holder, now))
    return this.#epoch
  }

  submitJob(job: NewJob): SubmitOutcome {
    return this.#write((parts) => parts.submissions.submit(job))
  }

  claimUnitIfDue(request: ClaimRequest): ClaimOutcome {
    return this.#write((parts) => parts.claims.claim(request))
  }

  readRunnableJobs(afterSeq: number, limit: number): readonly RunnableJob[] {
    return this.#read((parts) => parts.claims.readRunnable(afterSeq, limit))
  }

  recordRunnerIfHeld(fence: Fence, runner: RunnerIdentity): boolean {
    return this.#write((parts) => parts.claims.recordRunner(fence, runner))
  }

  recordProgressIfHeld(fence: Fence, progress: Progress | null, elapsedMs: number, now: number): boolean {
    return this.#write((parts) => parts.claims.recordProgress(fence, progress, elapsedMs, now))
  }

  adoptUnitIfHeld(fence: Fence, workerId: string): Fence | null {
    return this.#write((parts) => parts.claims.adopt(fence, workerId, this.#clock.now()))
  }

  completeUnitIfHeld(fence: Fence, output: Json, facts: EndFacts): UnitEnd | null {
    return this.#write((parts) => parts.endings.complete(fence, output, facts))
  }

  failUnitIfHeld(
    fence: Fence,
    outcome: 'failed' | 'timed_out',
    retryAt: number | null,
    output: Json,
    facts: EndFacts,
  ): UnitEnd | null {
    return this.#write((parts) => parts.endings.fail(fence, outcome, retryAt, output, facts))
  }

  loseUnitIfHeld(
    fence: Fence,
    options: { mayRerun: boolean; countsAsCrash: boolean; retryAt: number },
    facts: EndFacts,
  ): UnitEnd | null {
    return this.#write((parts) => parts.endings.lose(fence, options, facts))
  }

  releaseUnitIfHeld(fence: Fence, facts: EndFacts): UnitEnd | null {
    return this.#write((parts) => parts.endings.release(fence, facts))
  }

  cancelUnitIfHeld(fence: Fence, output: Json, facts: EndFacts): UnitEnd | null {
    return this.#write((parts) => parts.endings.cancel(fence, output, facts))
  }

  shiftRetries(byMs: number): number {
    return this.#write((parts) => parts.workers.shiftRetries(byMs))
  }

  requestCancel(jobId: string, reason: CancelReason, now: number): CancelOutcome {
    return this.#write((parts) => parts.cancellations.request(jobId, reason, now))
  }

  registerWorker(worker: WorkerRecord, now: number, leaseExpiresAt: number): void {
    this.#write((parts) => parts.workers.register(worker, now, leaseExpiresAt))
  }

  heartbeatWorker(workerId: string, now: number, leaseExpiresAt: number): boolean {
    return this.#write((parts) => parts.workers.heartbeat(workerId, now, leaseExpiresAt))
  }

  stopWorker(workerId: string, now: number): void {
    this.#write((parts) => parts.workers.stop(workerId, now))
  }

  findHeldUnits(filter: { workerId?: string; leaseExpiredBefore?: number; limit: number }): readonly HeldUnit[] {
    return this.#read((parts) => parts.workers.findHeld(filter))
  }

  readJob(jobId: string): Job | null {
    return this.#read((parts) => parts.jobs.read(jobId))
  }

  readJobs(jobIds: readonly string[]): readonly Job[] {
    return this.#read((parts) => parts.jobs.readMany(jobIds))
  }

  readJobPayload(jobId: string): JobPayload | null {
    return this.#read((parts) => parts.jobs.readPayload(jobId))
  }

  readUnits(jobId: string, page: { afterPosition?: number; limit: number }): readonly Unit[] {
    return this.#read((parts) => parts.jobs.readUnits(jobId, page))
  }

  readUnitPayload(unitId: string): { readonly input: Json; readonly output: Json | null } | null {
    return this.#read((parts) => parts.jobs.readUnitPayload(unitId))
  }

  readAttempts(unitId: string): readonly Attempt[] {
    return this.#read((parts) => parts.jobs.readAttempts(unitId))
  }

  listJobs(filter: JobFilter, page: { beforeSeq?: number; limit: number }): readonly Job[] {
    return this.#read((parts) => {
      // Jobs of the open transaction are found too.
      if (filter.text !== undefined && this.#database.inTransaction) parts.search.flush()
      return parts.lists.list(filter, page)
    })
  }

  readFinishedJobs(afterEvent: number, limit: number): readonly { readonly job: Job; readonly eventId: number }[] {
    return this.#read((parts) => parts.lists.readFinished(afterEvent, limit))
  }

  readWatermark(reader: string): Watermark {
    return this.#read((parts) => parts.watermarks.read(reader))
  }

  recordShown(reader: string, eventId: number): void {
    this.#write((parts) => parts.watermarks.recordShown(reader, eventId))
  }

  acknowledge(reader: string, eventId: number): Watermark {
    return this.#write((parts) => parts.watermarks.acknowledge(reader, eventId))
  }

  readEvents(afterId: number, limit: number): readonly EventRecord[] {
    return this.#read((parts) => parts.events.read(afterId, limit))
  }

  latestEventIdOfJobs(jobIds: readonly string[]): number {
    return this.#read((parts) => parts.events.lastIdOfJobs(jobIds))
  }

  lastEventId(): number {
    return this.#read((parts) => parts.events.lastId())
  }

  firstEventId(): number {
    return this.#read((parts) => parts.events.firstId())
  }

  pruneEvents(keep: number, limit: number): number {
    return this.#write((parts) => parts.events.prune(keep, limit))
  }

  readStatistics(now: number): Statistics {
    return this.#read((parts) => parts.statistics.read(now))
  }

  #write<T>(work: (parts: StoreParts) => T): T {
    return this.#parts.transactions.run(this.#epoch, () => work(this.#parts))
  }

  #read<T>(work: (parts: StoreParts) => T): T {
    try {
      return work(this.#parts)
    } catch (thrown) {
      throw toStorageError(thrown)
    }
  }
}
