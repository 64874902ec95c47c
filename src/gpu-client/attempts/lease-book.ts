import type { Clock } from '../../domain/clock.ts'

/**
 * Until when the worker may believe that it holds a lease. Only requests with the lease header count, answered or not, from when
 * they were sent: one whose answer was lost may have renewed it.
 */
export class LeaseBook {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #lengthMs: number
  #sentAt: number

  /** @param lengthMs lease and margin together */
  constructor(clock: Pick<Clock, 'monotonic'>, lengthMs: number) {
    this.#clock = clock
    this.#lengthMs = lengthMs
    this.#sentAt = clock.monotonic()
  }

  /** Right before a request with the lease header is sent. */
  sending(): void {
    this.#sentAt = this.#clock.monotonic()
  }

  /**
   * No answer came to it. One that took longer than an answer may take has waited here for a connection: nobody knows when it left.
   * @param answerMs longest time that an answer takes
   */
  lost(answerMs: number): void {
    const now = this.#clock.monotonic()
    if (now - this.#sentAt > answerMs) this.#sentAt = now
  }

  /** Monotonic ms at which it is surely over. */
  get endsAt(): number {
    return this.#sentAt + this.#lengthMs
  }

  /** 0: it is over. */
  get leftMs(): number {
    return Math.max(0, this.endsAt - this.#clock.monotonic())
  }
}
