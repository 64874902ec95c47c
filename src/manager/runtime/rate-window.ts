import type { RateLimit } from '../../domain/job.ts'

/**
 * At most `count` starts in any window of `windowMs`: a sliding log of the last starts, in monotonic ms, so that a jump of the
 * wall clock neither blocks a lane nor lets a burst through.
 */
export class RateWindow {
  #limit: RateLimit
  /** Starts are kept for this long: for the longest window that was in use lately. */
  #keepMs: number
  #keepUntil: number
  /** Starts, oldest first, from `#head` on. */
  #starts: number[] = []
  #head = 0

  /** @param keepUntil monotonic ms until which a shorter window does not shorten what is kept */
  constructor(limit: RateLimit, keepUntil = 0) {
    this.#limit = limit
    this.#keepMs = limit.windowMs
    this.#keepUntil = keepUntil
  }

  /** Another limit, for now: jobs that share a lane may differ, and none forgets what counts for another. */
  use(limit: RateLimit, now: number): void {
    this.#limit = limit
    if (limit.windowMs < this.#keepMs && now < this.#keepUntil) return
    this.#keepMs = limit.windowMs
    // Whoever waits for it looks again before that.
    this.#keepUntil = now + 2 * limit.windowMs
  }

  /** True when no start counts any more in any window in use. */
  isEmpty(now: number): boolean {
    this.#forget(now)
    return this.#head === this.#starts.length
  }

  /** Notes starts. */
  add(count: number, now: number): void {
    for (let each = 0; each < count; each += 1) this.#starts.push(now)
  }

  /** @returns how many may start now. */
  allowance(now: number): number {
    this.#forget(now)
    return Math.max(0, this.#limit.count - (this.#starts.length - this.#firstWithin(now - this.#limit.windowMs)))
  }

  /** @returns ms until one more may start; 0: now. */
  waitMs(now: number): number {
    if (this.allowance(now) > 0) return 0
    const freeing = this.#starts[this.#starts.length - this.#limit.count] ?? now
    return Math.max(1, Math.ceil(freeing + this.#limit.windowMs - now))
  }

  /** @returns index of the first start after `after` */
  #firstWithin(after: number): number {
    let low = this.#head
    let high = this.#starts.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#starts[middle] ?? 0) <= after) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Amortised: every start is passed once, and the array is cut when half of it is passed. */
  #forget(now: number): void {
    while (this.#head < this.#starts.length && (this.#starts[this.#head] ?? 0) <= now - this.#keepMs) {
      this.#head += 1
    }
    if (this.#head > 1_000 && this.#head > this.#starts.length / 2) {
      this.#starts = this.#starts.slice(this.#head)
      this.#head = 0
    }
  }
}
