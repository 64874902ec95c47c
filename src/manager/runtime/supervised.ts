import type { Fence, Job, JobOptions, Progress, RunnerIdentity, RunningUnit } from '../../domain/job.ts'
import type { AttemptControl, AttemptEnd, AttemptObserver, StopReason } from '../../domain/ports/attempt.ts'
import type { Lane } from '../../domain/ports/lane-store.ts'
import type { Device } from '../../domain/wire/prediction.ts'
import type { Beginning } from './attempt-starter.ts'
import { Estimator } from './estimator.ts'

/** What one attempt tells its supervisor. */
export interface AttemptEvents {
  monotonic(): number
  started(attempt: Supervised, runner: RunnerIdentity): void
  computesOn(attempt: Supervised, device: Device): void
  ended(attempt: Supervised, end: AttemptEnd): void
  refused(attempt: Supervised, error: unknown): void
}

/** One attempt in the hands of this manager. There may be very many of short life: it makes nothing that it does not need. */
export class Supervised implements AttemptObserver, Beginning {
  readonly unit: RunningUnit
  readonly fence: Fence
  readonly jobId: string
  readonly type: string
  readonly lane: Lane
  readonly options: JobOptions
  live: AttemptControl | null = null
  /** Asked for before it was begun. */
  stopReason: StopReason | null = null
  progress: Progress | null = null
  isProgressStored = true
  readonly #events: AttemptEvents
  #estimator: Estimator | null = null

  constructor(job: Job, unit: RunningUnit, fence: Fence, options: JobOptions, events: AttemptEvents) {
    this.unit = unit
    this.fence = fence
    this.jobId = job.id
    this.type = job.type
    this.lane = { queue: job.queue, key: unit.limitKey ?? '' }
    this.options = options
    this.#events = events
  }

  /** Failures of the unit before this attempt. */
  get failures(): number {
    return this.unit.failures
  }

  get observer(): AttemptObserver {
    return this
  }

  /** Time left of it, as far as its progress tells. */
  get estimator(): Estimator {
    this.#estimator ??= new Estimator()
    return this.#estimator
  }

  began(control: AttemptControl): void {
    this.live = control
    if (this.stopReason !== null) control.stop(this.stopReason)
  }

  refuse(error: unknown): void {
    this.#events.refused(this, error)
  }

  stop(reason: StopReason): void {
    this.stopReason ??= reason
    this.live?.stop(reason)
  }

  started(runner: RunnerIdentity): void {
    this.#events.started(this, runner)
  }

  progressed(progress: Progress): void {
    this.progress = progress
    this.isProgressStored = false
    this.estimator.add(progress, this.#events.monotonic())
  }

  computesOn(device: Device): void {
    this.#events.computesOn(this, device)
  }

  ended(end: AttemptEnd): void {
    this.#events.ended(this, end)
  }
}
