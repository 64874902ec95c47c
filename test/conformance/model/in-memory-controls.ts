import type { RateLimit } from '../../../src/domain/job.ts'
import type {
  CancelOutcome,
  DecideOutcome,
  JobChanges,
  NewDependency,
  PauseOutcome,
  UpdateOutcome,
} from '../../../src/domain/ports/job-store.ts'
import type { Lane, LaneHold, Queue } from '../../../src/domain/ports/lane-store.ts'
import type { AppendOutcome, NewSource, NewUnit, SourceProgress } from '../../../src/domain/ports/source-store.ts'
import type { CancelReason } from '../../../src/domain/states.ts'
import { InMemoryAttempts } from './in-memory-attempts.ts'
import { newUnit } from './model-rules.ts'
import type { ModelJob } from './model-state.ts'
import { countsOf, openDependenciesOf, unitsOf, viewHeld, viewJob } from './model-views.ts'

/** What people change about jobs and queues of the model. */
export abstract class InMemoryControls extends InMemoryAttempts {
  /** The model cancels all units at once. */
  cancelMoreUnits(): boolean {
    return false
  }

  readCancellingJobs(): readonly string[] {
    return []
  }

  requestCancel(jobId: string, reason: CancelReason, now: number): CancelOutcome {
    return this.atomically(() => {
      const job = this.find(jobId)
      if (job === undefined) return { kind: 'not_found' }
      if (job.finishedAt !== null) return { kind: 'already_final', job: viewJob(this.state, job) }
      if (this.stop(job, reason, now)) {
        if (this.advance(job, now)) return { kind: 'cancelled', job: viewJob(this.state, job) }
        this.state.notes.stops.add(jobId)
      }
      return { kind: 'cancelling', job: viewJob(this.state, job), held: this.#heldOf(job) }
    })
  }

  pauseJob(jobId: string, freeze: boolean, now: number): PauseOutcome {
    return this.#changePause(jobId, (job) => {
      if (job.pausedAt !== null && (job.frozenAt !== null) === freeze) return false
      job.pausedAt ??= now
      job.frozenAt = freeze ? (job.frozenAt ?? now) : null
      this.tell('job.paused', jobId, null, { freeze }, now)
      return true
    })
  }

  resumeJob(jobId: string, now: number): PauseOutcome {
    return this.#changePause(jobId, (job) => {
      if (job.pausedAt === null && job.frozenAt === null) return false
      job.pausedAt = null
      job.frozenAt = null
      job.gpuWaitsSince = null
      this.tell('job.resumed', jobId, null, {}, now)
      this.state.notes.jobs.add(jobId)
      return true
    })
  }

  decideJob(jobId: string, decision: 'approved' | 'rejected', by: string, now: number): DecideOutcome {
    return this.atomically(() => {
      const job = this.find(jobId)
      if (job === undefined) return { kind: 'not_found' }
      if (job.heldAt === null || job.finishedAt !== null || job.cancelRequestedAt !== null) {
        return { kind: 'not_held', job: viewJob(this.state, job) }
      }
      job.heldAt = null
      job.holdKind = null
      job.decision = decision
      this.tell(`job.${decision}`, jobId, null, { by }, now)
      if (decision === 'approved') {
        this.state.notes.jobs.add(jobId)
        this.state.notes.feed = true
      } else {
        this.stop(job, 'rejected', now)
        this.state.notes.stops.add(jobId)
      }
      this.advance(job, now)
      return { kind: 'decided', job: viewJob(this.state, job) }
    })
  }

  updateJob(jobId: string, changes: JobChanges, now: number): UpdateOutcome {
    return this.atomically(() => {
      const job = this.find(jobId)
      if (job === undefined) return { kind: 'not_found' }
      if (job.finishedAt !== null) return { kind: 'already_final' }
      const { dependencies = [], labels = {}, close, ...properties } = changes
      if (dependencies.length > 0) {
        if (job.state !== 'queued') return { kind: 'already_started' }
        const missing = this.missingJobs(dependencies)
        if (missing.length > 0) return { kind: 'dependency_not_found', jobIds: missing }
        const cycle = this.#findCycle(jobId, dependencies)
        if (cycle !== null) return { kind: 'cycle', jobIds: cycle }
      }
      for (const [name, value] of Object.entries(properties)) {
        if (value !== undefined) Object.assign(job, { [name]: value })
      }
      for (const [key, value] of Object.entries(labels)) {
        if (value === null) delete job.labels[key]
        else job.labels[key] = value
      }
      if (close === true) {
        job.keepOpen = false
        this.seal(job, now)
      }
      this.tell('job.updated', jobId, null, { changed: Object.keys(changes).sort() }, now)
      this.state.notes.jobs.add(jobId)
      if (this.addDependencies(job, dependencies)) this.stop(job, 'dependency', now)
      this.advance(job, now)
      return { kind: 'updated', job: viewJob(this.state, job) }
    })
  }

  recordJobElapsed(jobId: string, elapsedMs: number): void {
    this.atomically(() => {
      const job = this.find(jobId)
      if (job !== undefined) job.elapsedMs += elapsedMs
    })
  }

  appendSource(jobId: string, source: NewSource, now: number): AppendOutcome {
    return this.atomically(() => {
      const job = this.find(jobId)
      if (job === undefined) return { kind: 'not_found' }
      if (job.finishedAt !== null) return { kind: 'already_final' }
      if (job.cancelRequestedAt !== null) return { kind: 'cancelling' }
      if (job.finalStep === 'running' || job.finalStep === 'done') return { kind: 'already_final' }
      const sourceSeq = this.addSource(jobId, source)
      job.sealedAt = null
      this.tell('job.source_added', jobId, null, { items: source.total }, now)
      this.advance(job, now)
      return { kind: 'appended', job: viewJob(this.state, job), sourceSeq }
    })
  }

  insertUnits(
    sourceSeq: number,
    batch: { units: readonly NewUnit[]; cursor: number; done: boolean },
    now: number,
  ): SourceProgress | null {
    return this.atomically(() => {
      const source = this.state.sources.find((each) => each.seq === sourceSeq && !each.isDone)
      if (source === undefined) return null
      const job = this.get(source.jobId)
      const added = this.addUnits(job, batch.units)
      const skipped = batch.units.length - added.length
      source.cursor = batch.cursor
      source.added += added.length
      source.skipped += skipped
      source.isDone = batch.done
      if (added.length > 0) this.tell('job.units_added', job.id, null, { count: added.length, skipped }, now)
      for (const unit of added) this.noteLane(job, unit.limitKey ?? null)
      if (batch.done) this.seal(job, now)
      else this.state.notes.feed = true
      this.advance(job, now)
      return { added: source.added, skipped: source.skipped, job: viewJob(this.state, job) }
    })
  }

  holdLane(hold: LaneHold, now: number): void {
    this.atomically(() => {
      const isSame = (other: LaneHold) => other.queue === hold.queue && other.key === hold.key
      const known = this.state.laneHolds.find((other) => isSame(other) && other.until > now)
      if (known !== undefined && known.until >= hold.until) return
      this.state.laneHolds = [...this.state.laneHolds.filter((other) => !isSame(other)), { ...hold }]
    })
  }

  endLaneHolds(queue: string, now: number): { readonly holds: number; readonly units: number } {
    return this.atomically(() => {
      const held = this.state.laneHolds.filter((hold) => hold.queue === queue && hold.until > now)
      this.state.laneHolds = this.state.laneHolds.filter((hold) => !held.includes(hold))
      const jobs = new Set(this.state.jobs.filter((job) => job.queue === queue).map((job) => job.id))
      const units = this.state.units.filter(
        (unit) =>
          jobs.has(unit.jobId) &&
          unit.state === 'available' &&
          unit.availableAt > now &&
          unit.attempts.at(-1)?.outcome === 'rate_limited',
      )
      for (const unit of units) unit.availableAt = now
      return { holds: held.length, units: units.length }
    })
  }

  readLaneStarts(since: number): readonly (Lane & { readonly startedAt: number })[] {
    return this.atomically(() => {
      this.state.laneStarts = this.state.laneStarts.filter((start) => start.startedAt >= since)
      return structuredClone(this.state.laneStarts).sort((left, right) => left.startedAt - right.startedAt)
    })
  }

  updateQueue(
    name: string,
    changes: { concurrency?: number | null; rate?: RateLimit | null; paused?: boolean },
    now: number,
  ): Queue {
    return this.atomically(() => {
      this.ensureQueue(name)
      const known = this.state.queues.get(name)
      const { paused, concurrency = known?.concurrency ?? null, rate = known?.rate ?? null } = changes
      const pausedAt = paused === undefined ? (known?.pausedAt ?? null) : paused ? (known?.pausedAt ?? now) : null
      const queue = { name, concurrency, rate, pausedAt }
      this.state.queues.set(name, queue)
      this.state.notes.queues.add(name)
      return structuredClone(queue)
    })
  }

  protected ensureQueue(name: string): void {
    if (this.state.queues.has(name)) return
    this.state.queues.set(name, { name, concurrency: null, rate: null, pausedAt: null })
  }

  /** @returns those whose key was not there. */
  protected addUnits(job: ModelJob, units: readonly NewUnit[]): NewUnit[] {
    return units.filter((unit) => {
      const others = unitsOf(this.state, job)
      if (others.some((other) => other.key !== null && other.key === unit.key)) return false
      this.state.units.push(newUnit(unit, job.id, countsOf(this.state, job).total, job.gpu !== 'never'))
      return true
    })
  }

  protected addSource(jobId: string, source: NewSource): number {
    const seq = this.state.sources.length + 1
    const stored = structuredClone(source)
    this.state.sources.push({ seq, jobId, source: stored, cursor: 0, added: 0, skipped: 0, isDone: false })
    this.state.notes.feed = true
    return seq
  }

  protected missingJobs(wanted: readonly NewDependency[]): string[] {
    return [...new Set(wanted.map((each) => each.jobId))].filter((id) => this.find(id) === undefined)
  }

  /** @returns true when one of them has ended in a way that was not wanted. */
  protected addDependencies(job: ModelJob, wanted: readonly NewDependency[]): boolean {
    let isImpossible = false
    for (const { jobId, alias } of wanted) {
      if (job.dependencies.some((each) => each.jobId === jobId)) continue
      const alike = wanted.filter((each) => each.jobId === jobId)
      const condition = alike.some((each) => each.condition === 'completed') ? 'completed' : 'ended'
      const { state } = this.get(jobId)
      const ended = state === 'queued' || state === 'running' ? null : state
      job.dependencies.push({ jobId, alias, condition, state: ended })
      if (ended === null) job.openDependencies += 1
      else if (ended !== 'completed' && condition === 'completed') isImpossible = true
    }
    return isImpossible
  }

  /** Depth first, the last named dependency first. */
  #findCycle(start: string, wanted: readonly NewDependency[]): string[] | null {
    const seen = new Set<string>()
    const waysOf = (ids: readonly string[], way: readonly string[]) =>
      ids.filter((id) => !seen.has(id)).map((id) => ({ id, way: [...way, id] }))
    const open = waysOf([...new Set(wanted.map((each) => each.jobId))], [start])
    for (const { id } of open) seen.add(id)
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (next.id === start) return next.way
      const ids = openDependenciesOf(this.get(next.id)).map((each) => each.jobId)
      const further = waysOf([...ids].sort(), next.way)
      for (const { id } of further) seen.add(id)
      open.push(...further)
    }
    return null
  }

  #changePause(jobId: string, change: (job: ModelJob) => boolean): PauseOutcome {
    return this.atomically(() => {
      const job = this.find(jobId)
      if (job === undefined) return { kind: 'not_found' }
      if (job.finishedAt !== null) return { kind: 'already_final' }
      if (job.cancelRequestedAt !== null) return { kind: 'cancelling' }
      if (!change(job)) return { kind: 'unchanged' }
      return { kind: 'changed', job: viewJob(this.state, job), held: this.#heldOf(job) }
    })
  }

  #heldOf(job: ModelJob) {
    return unitsOf(this.state, job)
      .filter((unit) => unit.state === 'running')
      .map((unit) => viewHeld(this.state, unit))
  }
}
