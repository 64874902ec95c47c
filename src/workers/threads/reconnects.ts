/** A connection that lasted less says nothing good about the next one. */
const quickMs = 5_000
/** After so long, what could not be read before does not count any more. */
const forgetMs = 60_000
const freeBreaks = 2
const firstPauseMs = 50
const longestPauseMs = 2_000
const mostUnreadable = 3

/** How the connections to one living host have been breaking: how long to wait for the next, and whether there is to be one. */
export class Reconnects {
  #connectedAt = 0
  #quick = 0
  #unreadable = 0

  /** @param now monotonic ms */
  connected(now: number): void {
    this.#connectedAt = now
  }

  /** @param isUnreadable true when it was closed because of what came from the host */
  broke(now: number, isUnreadable: boolean): void {
    const lastedMs = now - this.#connectedAt
    this.#quick = lastedMs < quickMs ? this.#quick + 1 : 0
    const before = lastedMs < forgetMs ? this.#unreadable : 0
    this.#unreadable = isUnreadable ? before + 1 : 0
  }

  /** Connections in a row that broke at once. */
  get quickBreaks(): number {
    return this.#quick
  }

  /** Before the next one, in ms. */
  get pauseMs(): number {
    const late = this.#quick - freeBreaks
    return late <= 0 ? 0 : Math.min(longestPauseMs, firstPauseMs * 2 ** (late - 1))
  }

  /** True when what the host says cannot be read, again and again. */
  get isHopeless(): boolean {
    return this.#unreadable >= mostUnreadable
  }
}
