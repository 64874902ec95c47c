import { attemptDirectory, type StatePaths } from '../../config/paths.ts'
import type { Clock } from '../../domain/clock.ts'
import { cutText } from '../../domain/cut-text.ts'
import type { Fence, Progress } from '../../domain/job.ts'
import type { AttemptControl, AttemptEnd, AttemptObserver } from '../../domain/ports/attempt.ts'
import type { Device } from '../../domain/wire/prediction.ts'
import type { PredictionRecord } from '../storage/journal.ts'
import type { StopCause } from './end-facts.ts'

/** As the protocol takes them. */
const longestMessage = 2_000
const longestStage = 200

export type OnLeaseEnd = 'finish' | 'cancel'

/** One prediction that runs: its lease, and what is known of it until its end is durable. */
export class Run implements AttemptObserver {
  record: PredictionRecord
  control: AttemptControl | null = null
  /** Why it is being ended; the first reason stays. */
  stopCause: StopCause = null
  /** True: the client wants to hear no more of it. */
  isForgotten = false
  /** Held a checkpoint that was told before the newest one. */
  supersededFile: string | null = null
  readonly onLeaseEnd: OnLeaseEnd
  readonly directory: string
  readonly whenEnded: Promise<AttemptEnd>
  readonly #clock: Clock
  /** Monotonic ms; null: made without a lease. */
  #leaseUntil: number | null = null
  #resolveEnd: (end: AttemptEnd) => void = () => undefined

  constructor(
    record: PredictionRecord,
    options: { readonly clock: Clock; readonly paths: Pick<StatePaths, 'attempts'>; readonly onLeaseEnd: OnLeaseEnd },
  ) {
    this.record = record
    this.onLeaseEnd = options.onLeaseEnd
    this.#clock = options.clock
    this.directory = attemptDirectory(options.paths, fenceOf(record))
    this.whenEnded = new Promise((resolve) => {
      this.#resolveEnd = resolve
    })
  }

  /** True once the lease is over. Asked before it is renewed: a late renewal revives nothing. */
  get isLeaseOver(): boolean {
    return this.#leaseUntil !== null && this.#clock.monotonic() >= this.#leaseUntil
  }

  get leaseLeftMs(): number | null {
    return this.#leaseUntil === null ? null : Math.max(0, this.#leaseUntil - this.#clock.monotonic())
  }

  /** Ends the run when its lease is over and it is not to finish without. */
  checkLease(): void {
    if (this.isLeaseOver && (this.onLeaseEnd === 'cancel' || this.stopCause === 'cancel')) this.stop('lease')
  }

  /** @param seconds null: the request only looks */
  renew(seconds: number | null): void {
    if (seconds !== null && this.stopCause !== 'lease') this.#leaseUntil = this.#clock.monotonic() + seconds * 1_000
  }

  stop(cause: Exclude<StopCause, null>): void {
    this.stopCause ??= cause
    this.control?.stop(cause === 'shutdown' ? 'release' : 'cancel')
  }

  started(): void {
    // Runners are the executor's own business.
  }

  progressed(progress: Progress): void {
    const { current, total, message, stage } = progress
    const told = {
      current,
      total,
      message: message === null ? null : cutText(message, longestMessage),
      stage: stage === null ? null : cutText(stage, longestStage),
    }
    this.record = { ...this.record, progress: told }
  }

  computesOn(device: Device): void {
    this.record = { ...this.record, device }
  }

  ended(end: AttemptEnd): void {
    this.#resolveEnd(end)
  }
}

/** @returns what tells this attempt from any other here */
export function fenceOf(record: Pick<PredictionRecord, 'unit_id' | 'attempt' | 'nonce'>): Fence {
  return { unitId: record.unit_id, attempt: record.attempt, nonce: record.nonce, workerId: 'gpu-worker' }
}
