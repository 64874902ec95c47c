import type { Attempt, Job, Json, Unit } from '../../../src/domain/job.ts'
import type {
  EventRecord,
  HeldUnit,
  JobFilter,
  JobPayload,
  RunnableJob,
  Statistics,
  Watermark,
} from '../../../src/domain/ports/job-store.ts'
import { emptyState, type ModelJob, type ModelState } from './model-state.ts'
import { countsOf, matches, unitsOf, viewAttempt, viewHeld, viewJob, viewUnit } from './model-views.ts'

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
      .filter((job) => job.seq > afterSeq && countsOf(this.state, job).available > 0)
      .slice(0, limit)
      .map((job) => {
        const { id: jobId, seq, queue, type, priority } = job
        return { jobId, seq, queue, type, priority, nextDueAt: this.firstDue(job) }
      })
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
    return job === undefined ? null : structuredClone({ params: job.params, options: job.options })
  }

  readUnits(jobId: string, page: { afterPosition?: number; limit: number }): readonly Unit[] {
    return this.state.units
      .filter((unit) => unit.jobId === jobId && unit.position > (page.afterPosition ?? -1))
      .slice(0, page.limit)
      .map((unit) => viewUnit(unit))
  }

  readUnitPayload(unitId: string): { readonly input: Json; readonly output: Json | null } | null {
    const unit = this.state.units.find((each) => each.id === unitId)
    return unit === undefined ? null : structuredClone({ input: unit.input, output: unit.output })
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

  readStatistics(now: number): Statistics {
    const since = now - 24 * 3600 * 1000
    const inState = (state: string) => this.state.jobs.filter((job) => job.state === state)
    const lately = (state: string) => inState(state).filter((job) => (job.finishedAt ?? 0) > since).length
    return {
      jobs: {
        queued: inState('queued').length,
        running: inState('running').length,
        completed: inState('completed').length,
        failed: inState('failed').length,
        cancelled: inState('cancelled').length,
      },
      last24Hours: {
        completed: lately('completed'),
        failed: lately('failed'),
        cancelled: lately('cancelled'),
        submitted: this.state.jobs.filter((job) => job.createdAt > since).length,
      },
    }
  }

  /** When the next unit could be claimed, null while something else than time is in the way. */
  protected nextDue(job: ModelJob): number | null {
    const { available, running } = countsOf(this.state, job)
    const isStopped = [job.finishedAt, job.pausedAt, job.heldAt, job.frozenAt, job.cancelRequestedAt].some(
      (at) => at !== null,
    )
    const isFull = job.concurrency !== null && running >= job.concurrency
    if (isStopped || isFull || available === 0 || this.state.pausedQueues.has(job.queue)) return null
    return this.firstDue(job)
  }

  protected firstDue(job: ModelJob): number {
    const available = unitsOf(this.state, job).filter((unit) => unit.state === 'available')
    return Math.max(job.runAt, Math.min(...available.map((unit) => unit.availableAt)))
  }

  protected find(jobId: string): ModelJob | undefined {
    return this.state.jobs.find((job) => job.id === jobId)
  }
}
