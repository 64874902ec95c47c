import type { ToManager } from './protocol.ts'
import type { ThreadAttempt } from './thread-attempt.ts'

type Pong = Extract<ToManager, { kind: 'pong' }>

interface Missing {
  /** Monotonic ms. */
  readonly since: number
  /** Pings that had been sent by then. */
  readonly pings: number
}

/** Finds attempts that a host was handed and has lost: nothing would ever be heard of them. */
export class MissingAttempts {
  readonly #afterMs: number
  readonly #missing = new Map<string, Missing>()

  /** @param afterMs between two answers that lack an attempt, until it counts as lost */
  constructor(afterMs: number) {
    this.#afterMs = afterMs
  }

  /** On a new connection the host says anew what it has. */
  clear(): void {
    this.#missing.clear()
  }

  /**
   * @param attempts handed over and not ended
   * @param pings how many were sent until now
   * @param now monotonic ms
   * @returns those that the host does not have any more
   */
  look(pong: Pong, attempts: ReadonlyMap<string, ThreadAttempt>, pings: number, now: number): readonly ThreadAttempt[] {
    // An older host does not tell all.
    if (pong.others === undefined) return []
    const has = new Set(pong.others)
    for (const { key } of pong.attempts) has.add(key)
    const lost: ThreadAttempt[] = []
    for (const [key, attempt] of attempts) {
      if (has.has(key)) continue
      const missing = this.#missing.get(key)
      if (missing === undefined) this.#missing.set(key, { since: now, pings })
      // What was asked earlier may have been answered before the attempt arrived.
      else if (now - missing.since >= this.#afterMs && pong.id > missing.pings) lost.push(attempt)
    }
    for (const key of this.#missing.keys()) if (has.has(key) || !attempts.has(key)) this.#missing.delete(key)
    return lost
  }
}
