/** All in ms. */
export interface AttemptTimings {
  /** From the first poll of an attempt to the second; the pauses grow up to `pollFirstMs`, so that what is over soon is told soon. */
  readonly pollSoonMs: number
  /** Between two polls; grows while nothing changes. */
  readonly pollFirstMs: number
  readonly pollLastMs: number
  /** Beyond the end of a lease, before it counts as over: for a request under way and clocks that differ. */
  readonly marginMs: number
  /** First pause after a request that never arrived; doubles. */
  readonly retryMs: number
  /** Longest wait for a worker that is busy or asks to be left alone, all pauses together. */
  readonly queueWaitMs: number
  /** Pause when such a worker names none. */
  readonly busyMs: number
  /** A request without an answer for longer has waited for a connection first. */
  readonly answerMs: number
}

export const defaultAttemptTimings: AttemptTimings = {
  pollSoonMs: 100,
  pollFirstMs: 1_000,
  pollLastMs: 5_000,
  marginMs: 5_000,
  retryMs: 500,
  queueWaitMs: 60_000,
  busyMs: 2_000,
  answerMs: 12_000,
}

/** Polls: quick after news, slower while nothing changes. */
export class PollPace {
  readonly #timings: AttemptTimings
  #nextMs: number

  constructor(timings: AttemptTimings) {
    this.#timings = timings
    this.#nextMs = timings.pollSoonMs
  }

  reset(): void {
    if (this.#nextMs > this.#timings.pollFirstMs) this.#nextMs = this.#timings.pollFirstMs
  }

  /** @returns ms until the next poll */
  next(): number {
    const pause = this.#nextMs
    this.#nextMs = Math.min(this.#timings.pollLastMs, Math.round(pause * 1.5))
    return pause
  }
}
