import type { Clock } from '../../domain/clock.ts'
import { QueueError } from '../../domain/errors.ts'
import type { Fence, Progress } from '../../domain/job.ts'
import type { AttemptControl, AttemptObserver, StopReason } from '../../domain/ports/attempt.ts'
import type { HandlerJob, HandlerTask } from '../../domain/ports/thread-executor.ts'
import type { Device } from '../../domain/wire/prediction.ts'

/** Where an attempt is: waiting, in a host, or nowhere any more. */
export interface AttemptPlace {
  /** The attempt was told to stop, or to stop for a stronger reason. */
  stop(attempt: ThreadAttempt): void
}

/** What an attempt is given of its executor. */
export interface AttemptStart {
  readonly key: string
  readonly fence: Fence
  /** Null for one that an earlier manager handed over. */
  readonly work: AttemptWork | null
  readonly observer: AttemptObserver
  /** Awake time that it has used before. */
  readonly elapsedMs: number
  readonly clock: Pick<Clock, 'monotonic'>
}

/** What an attempt is to do. */
export interface AttemptWork {
  readonly job: HandlerJob
  readonly task: HandlerTask
}

/** One attempt in the hands of this manager. Thousands are made a second: no closures, no timers. */
export class ThreadAttempt implements AttemptControl {
  readonly key: string
  readonly fence: Fence
  readonly work: AttemptWork | null
  readonly observer: AttemptObserver
  place: AttemptPlace | null = null
  /** Why it is to stop; null: it is not. */
  stopReason: StopReason | null = null
  hasEnded = false
  /** Its host said that it runs. */
  wasSeenRunning = false
  readonly #clock: Pick<Clock, 'monotonic'>
  #elapsedMs: number
  #silentMs: number
  /** When these were true, monotonic ms. */
  #elapsedAt: number
  #silentAt: number
  #progress: Progress | null = null
  #device: Device | null = null

  constructor({ key, fence, work, observer, elapsedMs, clock }: AttemptStart) {
    this.key = key
    this.fence = fence
    this.work = work
    this.observer = observer
    this.#clock = clock
    this.#elapsedMs = elapsedMs
    this.#silentMs = elapsedMs
    this.#elapsedAt = clock.monotonic()
    this.#silentAt = this.#elapsedAt
  }

  stop(reason: StopReason): void {
    // A cancel is stronger than a release.
    if (this.hasEnded || this.stopReason === reason || this.stopReason === 'cancel') return
    this.stopReason = reason
    this.place?.stop(this)
  }

  elapsedMs(): number {
    return Math.round(this.#elapsedMs + (this.hasEnded ? 0 : Math.max(0, this.#clock.monotonic() - this.#elapsedAt)))
  }

  latestProgress(): Progress | null {
    return this.#progress
  }

  silentMs(): number {
    return Math.round(this.#silentMs + Math.max(0, this.#clock.monotonic() - this.#silentAt))
  }

  freeze(): Promise<void> {
    return Promise.reject(
      new QueueError('invalid_transition', 'a handler cannot be frozen: its thread shares its process with others', {
        remedy: 'Pause the job instead: what runs goes on, and nothing new starts.',
      }),
    )
  }

  thaw(): Promise<void> {
    return Promise.resolve()
  }

  send(): Promise<number> {
    return Promise.reject(
      new QueueError('invalid_transition', 'a handler has no stdin to send to', {
        remedy: 'Only a running command that was submitted with params.interactive takes input.',
      }),
    )
  }

  /** What its host says of its clocks. */
  tellTimes(elapsedMs: number, silentMs: number | null): void {
    const now = this.#clock.monotonic()
    this.#elapsedMs = Math.max(elapsedMs, this.#elapsedMs)
    this.#elapsedAt = now
    if (silentMs === null) return
    this.#silentMs = silentMs
    this.#silentAt = now
  }

  tellProgress(progress: Progress, elapsedMs: number): void {
    this.#progress = progress
    this.wasSeenRunning = true
    this.tellTimes(elapsedMs, 0)
  }

  /** Hosts say it again to every manager, and with the end. */
  tellDevice(device: Device): void {
    if (device.name === this.#device?.name && device.kind === this.#device.kind) return
    this.#device = device
    this.observer.computesOn?.(device)
  }

  /** Its clock stands still from now on. */
  end(elapsedMs: number): void {
    this.hasEnded = true
    this.#elapsedMs = elapsedMs
  }
}
