import type { RateLimit } from '../../domain/job.ts'

/**
 * At most `count` starts in any window of `windowMs`: a sliding log of the last starts, in monotonic ms, so that a jump of the
 * wall clock neither blocks a lane nor lets a burst through.
 */
export class RateWindow {
  #limit: RateLimit
  /** Starts within the window, oldest first, from `#head` on. */
  #starts: number[] = []
  #head = 0

  constructor(limit: RateLimit) {
    this.#limit = limit
  }

  get limit(): RateLimit {
    return this.#limit
  }

  /** Another limit; what has started still counts. */
  change(limit: RateLimit): void {
    this.#limit = limit
  }

  /** Notes starts. */
  add(count: number, now: number): void {
    for (let each = 0; each < count; each += 1) this.#starts.push(now)
  }

  /** @returns how many may start now. */
  allowance(now: number): number {
    this.#forget(now)
    return Math.max(0, this.#limit.count - (this.#starts.length - this.#head))
  }

  /** @returns ms until one more may start; 0: now. */
  waitMs(now: number): number {
    if (this.allowance(now) > 0) return 0
    const freeing = this.#starts[this.#starts.length - this.#limit.count] ?? now
    return Math.max(1, Math.ceil(freeing + this.#limit.windowMs - now))
  }

  /** Amortised: every start is passed once, and the array is cut when half of it is passed. */
  #forget(now: number): void {
    while (this.#head < this.#starts.length && (this.#starts[this.#head] ?? 0) <= now - this.#limit.windowMs) {
      this.#head += 1
    }
    if (this.#head > 1_000 && this.#head > this.#starts.length / 2) {
      this.#starts = this.#starts.slice(this.#head)
      this.#head = 0
    }
  }
}
