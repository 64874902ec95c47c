import type { Attempt, Job, Json, Unit } from '../../../src/domain/job.ts'
import type { StoredArtifact } from '../../../src/domain/ports/artifact-store.ts'
import type { EventRecord, Watermark } from '../../../src/domain/ports/event-store.ts'
import type {
  Dependency,
  HeldUnit,
  JobFilter,
  JobPayload,
  RunnableJob,
  UnitFilter,
} from '../../../src/domain/ports/job-store.ts'
import type { LaneHold, Queue } from '../../../src/domain/ports/lane-store.ts'
import type { Checkpoint } from '../../../src/domain/ports/remote-executor.ts'
import type { OpenSource } from '../../../src/domain/ports/source-store.ts'
import { emptyState, type ModelJob, type ModelSource, type ModelState } from './model-state.ts'
import { artifactsOf, countsOf, matches, unitsOf, viewAttempt, viewHeld, viewJob, viewUnit } from './model-views.ts'

/** What every model of one "database" shares, so that two stores on it can contend for the epoch. */
export interface ModelDatabase {
  state: ModelState
}

/** The reading half of the model: filters over plain lists. */
export class InMemoryJobReads {
  protected readonly database: ModelDatabase

  constructor(database: ModelDatabase = { state: emptyState() }) {
    this.database = database
  }

  get state(): ModelState {
    return this.database.state
  }

  readRunnableJobs(afterSeq: number, limit: number): readonly RunnableJob[] {
    return this.state.jobs
      .filter((job) => job.seq > afterSeq && this.lanesOf(job).length > 0)
      .slice(0, limit)
      .flatMap((job) => this.lanesOf(job))
  }

  findHeldUnits(filter: { workerId?: string; leaseExpiredBefore?: number; limit: number }): readonly HeldUnit[] {
    return this.state.units
      .filter((unit) => unit.state === 'running')
      .filter((unit) => filter.workerId === undefined || unit.workerId === filter.workerId)
      .filter((unit) => {
        const lease = this.state.workers.get(unit.workerId ?? '')?.leaseExpiresAt ?? 0
        return filter.leaseExpiredBefore === undefined || lease < filter.leaseExpiredBefore
      })
      .slice(0, filter.limit)
      .map((unit) => viewHeld(this.state, unit))
  }

  readJob(jobId: string): Job | null {
    const job = this.find(jobId)
    return job === undefined ? null : viewJob(this.state, job)
  }

  readJobs(jobIds: readonly string[]): readonly Job[] {
    return jobIds.map((id) => this.readJob(id)).filter((job) => job !== null)
  }

  readJobPayload(jobId: string): JobPayload | null {
    const job = this.find(jobId)
    if (job === undefined) return null
    const { params, options, context, finalStepSaid: finalStep, workHash } = job
    return structuredClone({ params, options, context, finalStep, workHash })
  }

  readIdempotencyKey(key: string): { readonly jobId: string; readonly contentHash: string } | null {
    const known = this.state.keys.get(key)
    return known === undefined ? null : { jobId: known.jobId, contentHash: known.contentHash }
  }

  readUnit(unitId: string): Unit | null {
    const unit = this.state.units.find((each) => each.id === unitId)
    return unit === undefined ? null : viewUnit(unit)
  }

  readUnits(jobId: string, page: { afterPosition?: number; limit: number }, filter: UnitFilter = {}): readonly Unit[] {
    return this.state.units
      .filter((unit) => unit.jobId === jobId && unit.position > (page.afterPosition ?? -1))
      .filter((unit) => filter.states?.includes(unit.state) ?? true)
      .filter((unit) => filter.keys?.includes(unit.key ?? '') ?? true)
      .slice(0, page.limit)
      .map((unit) => viewUnit(unit))
  }

  readDependencies(jobId: string): readonly Dependency[] {
    const found = structuredClone(this.find(jobId)?.dependencies ?? [])
    return found.sort((left, right) => (left.jobId < right.jobId ? -1 : 1))
  }

  readReruns(jobId: string, limit: number): readonly Job[] {
    return this.state.jobs
      .filter((job) => job.rerunOf === jobId)
      .slice(0, limit)
      .map((job) => viewJob(this.state, job))
  }

  readOpenSources(limit: number): readonly OpenSource[] {
    return this.state.sources
      .filter((source) => !source.isDone && this.#mayFeed(source))
      .slice(0, limit)
      .map((source) => this.#viewSource(source))
  }

  readUnfedSources(jobId: string): readonly OpenSource[] {
    return this.state.sources
      .filter((each) => each.jobId === jobId && each.added + each.skipped < each.source.total)
      .map((source) => this.#viewSource(source))
  }

  readSpoolFiles(): readonly string[] {
    return this.state.sources.flatMap(({ source, added, skipped }) =>
      source.kind === 'spool' && added + skipped < source.total ? [source.file] : [],
    )
  }

  readSourceTotals(jobId: string): { readonly waiting: number; readonly skipped: number } {
    const sources = this.state.sources.filter((source) => source.jobId === jobId)
    const skipped = sources.reduce((sum, source) => sum + source.skipped, 0)
    return { waiting: this.waitingItems(jobId), skipped }
  }

  readLaneHolds(now: number): readonly LaneHold[] {
    return this.state.laneHolds
      .filter((hold) => hold.until > now)
      .sort((left, right) => (nameOf(left) < nameOf(right) ? -1 : 1))
      .map((hold) => ({ ...hold }))
  }

  readQueues(): readonly Queue[] {
    return structuredClone([...this.state.queues.values()]).sort((left, right) => (left.name < right.name ? -1 : 1))
  }

  readJobElapsed(jobId: string): number {
    return this.find(jobId)?.elapsedMs ?? 0
  }

  readUnitInputs(unitIds: readonly string[]): ReadonlyMap<string, Json> {
    return new Map(
      unitIds.flatMap((id) => {
        const payload = this.readUnitPayload(id)
        return payload === null ? [] : [[id, payload.input] as const]
      }),
    )
  }

  readUnitPayload(unitId: string): { readonly input: Json; readonly output: Json | null } | null {
    const unit = this.state.units.find((each) => each.id === unitId)
    return unit === undefined ? null : structuredClone({ input: unit.input, output: unit.output })
  }

  readCheckpoints(unitIds: readonly string[]): ReadonlyMap<string, Checkpoint> {
    return new Map(
      this.state.units.flatMap(({ id, checkpoint }) => {
        if (!unitIds.includes(id) || checkpoint === null) return []
        return [[id, { state: JSON.parse(checkpoint.text) as Json, format: checkpoint.format }]]
      }),
    )
  }

  wasLostLast(unitIds: readonly string[]): ReadonlySet<string> {
    const units = this.state.units.filter((unit) => unitIds.includes(unit.id))
    const lost = units.filter((unit) => {
      const told = unit.attempts.filter(({ outcome }) => outcome !== 'running' && outcome !== 'released')
      return told.at(-1)?.outcome === 'lost'
    })
    return new Set(lost.map((unit) => unit.id))
  }

  readArtifacts(jobId: string, options: { unitId?: string; limit: number }): readonly StoredArtifact[] {
    return this.state.units
      .filter((unit) => unit.jobId === jobId && unit.id === (options.unitId ?? unit.id))
      .filter((unit) => unit.state === 'completed' || unit.state === 'failed')
      .sort((left, right) => left.position - right.position)
      .flatMap((unit) => artifactsOf(unit))
      .slice(0, options.limit)
  }

  readAttempts(unitId: string): readonly Attempt[] {
    const unit = this.state.units.find((each) => each.id === unitId)
    return unit?.attempts.map((attempt) => viewAttempt(unit, attempt)) ?? []
  }

  listJobs(filter: JobFilter, page: { beforeSeq?: number; limit: number }): readonly Job[] {
    return this.state.jobs
      .filter((job) => job.seq < (page.beforeSeq ?? Number.POSITIVE_INFINITY) && matches(job, filter))
      .reverse()
      .slice(0, page.limit)
      .map((job) => viewJob(this.state, job))
  }

  readFinishedJobs(afterEvent: number, limit: number): readonly { readonly job: Job; readonly eventId: number }[] {
    return this.state.jobs
      .map((job) => ({ job, eventId: job.settledEvent ?? 0 }))
      .filter(({ eventId }) => eventId > 0 && eventId > afterEvent)
      .sort((left, right) => left.eventId - right.eventId)
      .slice(0, limit)
      .map(({ job, eventId }) => ({ job: viewJob(this.state, job), eventId }))
  }

  readWatermark(reader: string): Watermark {
    return this.state.watermarks.get(reader) ?? { acknowledged: 0, shown: 0 }
  }

  readEvents(afterId: number, limit: number): readonly EventRecord[] {
    return structuredClone(this.state.events.filter((event) => event.id > afterId).slice(0, limit))
  }

  latestEventIdOfJobs(jobIds: readonly string[]): number {
    return Math.max(0, ...this.state.events.filter((event) => jobIds.includes(event.jobId)).map((event) => event.id))
  }

  lastEventId(): number {
    return this.state.lastEventId
  }

  firstEventId(): number {
    return this.state.events[0]?.id ?? 0
  }

  /** When the next unit of a lane could be claimed, null while something else than time is in the way. */
  protected nextDue(job: ModelJob, forGpu: boolean, limitKey: string | null): number | null {
    const isFull = job.concurrency !== null && countsOf(this.state, job).running >= job.concurrency
    const lane = this.lanesOf(job).find((each) => each.forGpu === forGpu && each.limitKey === limitKey)
    return isFull ? null : (lane?.nextDueAt ?? null)
  }

  /** Lanes that only time, or a limit, keeps from being claimed. */
  protected lanesOf(job: ModelJob): RunnableJob[] {
    if (this.isBlocked(job)) return []
    return [...this.#lanesAt(job, false), ...this.#lanesAt(job, true)]
  }

  #lanesAt(job: ModelJob, forGpu: boolean): RunnableJob[] {
    const available = unitsOf(this.state, job).filter((unit) => unit.state === 'available' && unit.forGpu === forGpu)
    const keys = [...new Set(available.map((unit) => unit.limitKey))]
    const { id: jobId, seq, queue, type, priority, submittedBy, keyLimits } = job
    return keys.sort(compareKeys).map((limitKey) => {
      const due = Math.min(...available.filter((unit) => unit.limitKey === limitKey).map((unit) => unit.availableAt))
      const nextDueAt = Math.max(job.runAt, due)
      return { jobId, seq, queue, type, priority, submittedBy, forGpu, limitKey, keyLimits, nextDueAt }
    })
  }

  protected isBlocked(job: ModelJob): boolean {
    const flags = [job.finishedAt, job.pausedAt, job.heldAt, job.frozenAt, job.cancelRequestedAt]
    if (flags.some((at) => at !== null) || job.openDependencies > 0) return true
    return (this.state.queues.get(job.queue)?.pausedAt ?? null) !== null
  }

  /** Items that open sources of a job have not given yet. */
  protected waitingItems(jobId: string): number {
    return this.state.sources
      .filter((source) => source.jobId === jobId)
      .reduce((sum, source) => sum + Math.max(0, remainder(source)), 0)
  }

  #viewSource({ seq, jobId, source, cursor, added, skipped }: ModelSource): OpenSource {
    const job = this.get(jobId)
    return structuredClone({ seq, job: viewJob(this.state, job), source, options: job.options, cursor, added, skipped })
  }

  #mayFeed(source: ModelSource): boolean {
    const job = this.get(source.jobId)
    if (job.testUnits === null || job.decision !== null || remainder(source) <= 0) return true
    return countsOf(this.state, job).total < job.testUnits
  }

  protected find(jobId: string): ModelJob | undefined {
    return this.state.jobs.find((job) => job.id === jobId)
  }

  protected get(jobId: string): ModelJob {
    const job = this.find(jobId)
    if (job === undefined) throw new Error(`there is no job ${jobId}`)
    return job
  }
}

function remainder(source: ModelSource): number {
  return source.source.total - source.added - source.skipped
}

/** Those without one come first. */
export function compareKeys(left: string | null, right: string | null): number {
  if (left === right) return 0
  return left === null || (right !== null && left < right) ? -1 : 1
}

function nameOf({ queue, key }: LaneHold): string {
  return `${queue}\0${key}`
}
