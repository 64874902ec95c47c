import { errorOfCancel } from '../../../src/domain/cancel-errors.ts'
import type { Job } from '../../../src/domain/job.ts'
import type { Consequences, RunnableJob } from '../../../src/domain/ports/job-store.ts'
import { type CancelReason, type FinalJobState, isFinalJobState } from '../../../src/domain/states.ts'
import { InMemoryRecords } from './in-memory-records.ts'
import { newUnit, settledState } from './model-rules.ts'
import { emptyNotes, type ModelJob } from './model-state.ts'
import { countsOf, openDependenciesOf, unitsOf, viewHeld, viewJob } from './model-views.ts'

/** How jobs of the model go on when their units can move no more, and what that means for a manager. */
export abstract class InMemorySettling extends InMemoryRecords {
  takeConsequences(): Consequences {
    return this.atomically(() => {
      const { notes } = this.state
      this.state.notes = emptyNotes()
      const runnable: RunnableJob[] = []
      for (const job of this.state.jobs) {
        const isWhole = notes.jobs.has(job.id) || notes.queues.has(job.queue)
        const keys = notes.lanes.get(job.id)
        runnable.push(...this.lanesOf(job).filter((lane) => isWhole || keys?.has(lane.limitKey)))
      }
      const stops = this.state.units
        .filter((unit) => unit.state === 'running' && notes.stops.has(unit.jobId))
        .map((unit) => viewHeld(this.state, unit))
      return { runnable, stops, settled: notes.settled, feed: notes.feed, sweeps: [] }
    })
  }

  protected noteLane(job: ModelJob, limitKey: string | null): void {
    const { lanes } = this.state.notes
    lanes.set(job.id, (lanes.get(job.id) ?? new Set()).add(limitKey))
  }

  /** The flag, what is available, and the sources. @returns false when the job is final or was stopped before */
  protected stop(job: ModelJob, reason: CancelReason, now: number): boolean {
    if (job.finishedAt !== null || job.cancelRequestedAt !== null) return false
    job.cancelRequestedAt = now
    job.cancelReason = reason
    job.sealedAt ??= now
    const available = unitsOf(this.state, job).filter((unit) => unit.state === 'available')
    for (const unit of available) {
      unit.state = 'cancelled'
      unit.finishedAt = now
      if (unit.finalStep) job.finalStep = 'done'
    }
    for (const source of this.state.sources) if (source.jobId === job.id) source.isDone = true
    this.tell('job.cancel_requested', job.id, null, { reason, units_cancelled: available.length }, now)
    return true
  }

  /** Seals a job to which nothing can add a unit any more. */
  protected seal(job: ModelJob, now: number): void {
    const hasSource = this.state.sources.some((source) => source.jobId === job.id && !source.isDone)
    if (!job.keepOpen && !hasSource) job.sealedAt ??= now
  }

  /** Whatever follows now that a unit ended, was cancelled, or will not come. @returns true when the job settled */
  protected advance(job: ModelJob, now: number): boolean {
    const settled = this.#step(job, now)
    if (settled) this.#tellDependents(job, now)
    return settled
  }

  #step(job: ModelJob, now: number): boolean {
    if (isFinalJobState(job.state)) return false
    const counts = countsOf(this.state, job)
    if (counts.available + counts.running > 0) return false
    if (job.cancelRequestedAt === null) {
      if (job.sealedAt === null) return this.#holdForReview(job, counts.total, now)
      if (job.openDependencies > 0) return false
      if (job.finalStep === 'waiting') return this.#beginFinalStep(job, counts.total, now)
    }
    if (job.finalStep === 'running') return false
    this.#settle(job, now)
    return true
  }

  #holdForReview(job: ModelJob, total: number, now: number): false {
    const isDecided = job.testUnits === null || job.decision !== null || job.heldAt !== null
    if (isDecided || total < (job.testUnits ?? 0) || this.waitingItems(job.id) === 0) return false
    job.heldAt = now
    job.holdKind = 'review'
    this.tell('job.held', job.id, null, { kind: 'review', units: total }, now)
    return false
  }

  #beginFinalStep(job: ModelJob, position: number, now: number): false {
    const id = job.finalStepSaid?.unitId ?? ''
    this.state.units.push({ ...newUnit({ id, input: null }, job.id, position, false), finalStep: true })
    job.finalStep = 'running'
    this.tell('job.final_step', job.id, id, { position }, now)
    this.noteLane(job, null)
    return false
  }

  #settle(job: ModelJob, now: number): void {
    const counts = countsOf(this.state, job)
    const units = unitsOf(this.state, job)
    const finalStep = units.find((unit) => unit.finalStep) ?? null
    const isCutShort = this.state.sources.some(
      ({ jobId, source, added, skipped }) => jobId === job.id && added + skipped < source.total,
    )
    const state = settledState(job, counts, finalStep, isCutShort)
    job.state = state
    job.finishedAt = now
    const broken = units.sort((left, right) => left.position - right.position).find((unit) => unit.state === 'failed')
    const late = state === 'failed' ? errorOfCancel(job.cancelReason) : null
    job.error = state === 'completed' ? null : (broken?.attempts.at(-1)?.error ?? late)
    const { completed, failed, cancelled } = counts
    job.settledEvent = this.tell(`job.${state}`, job.id, null, { completed, failed, cancelled }, now)
    this.state.notes.settled.push(viewJob(this.state, job) as Job)
    if (state === 'completed') this.history.recordDuration(job.workHash, units, now)
  }

  #tellDependents(first: ModelJob, now: number): void {
    const ended = [first]
    for (let job = ended.pop(); job !== undefined; job = ended.pop()) {
      for (const dependent of this.state.jobs) {
        const dependency = openDependenciesOf(dependent).find((each) => each.jobId === job?.id)
        if (dependency === undefined) continue
        const state = job.state as FinalJobState
        dependency.state = state
        if (dependent.finishedAt !== null) continue
        dependent.openDependencies -= 1
        const isImpossible = dependency.condition === 'completed' && state !== 'completed'
        if (isImpossible) this.stop(dependent, 'dependency', now)
        else if (dependent.openDependencies === 0) {
          this.tell('job.unblocked', dependent.id, null, {}, now)
          this.state.notes.jobs.add(dependent.id)
        }
        if (this.#step(dependent, now)) ended.push(dependent)
      }
    }
  }
}
