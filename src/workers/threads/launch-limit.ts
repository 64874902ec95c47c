const windowMs = 60_000
const mostFailures = 5
const firstPauseMs = 100
const longestPauseMs = 5_000

/** Keeps a host that dies at its start from being started for ever. */
export class LaunchLimit {
  #failures: number[] = []

  /** A host died before it could be used. @param now monotonic ms */
  failed(now: number): void {
    this.#failures.push(now)
  }

  succeeded(): void {
    this.#failures = []
  }

  /** True when no further start makes sense now. */
  isReached(now: number): boolean {
    this.#failures = this.#failures.filter((at) => now - at < windowMs)
    return this.#failures.length >= mostFailures
  }

  /** @returns ms to wait before the next start */
  pauseMs(): number {
    const { length } = this.#failures
    return length === 0 ? 0 : Math.min(longestPauseMs, firstPauseMs * 2 ** (length - 1))
  }
}
