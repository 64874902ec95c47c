import type { Readable } from 'node:stream'

export interface LimitOptions {
  /** Of the attempt. */
  readonly signal: AbortSignal
  /** Longest wait for the other side, ms. */
  readonly idleMs: number
  /** Of the whole request, ms; null: as long as it takes. */
  readonly totalMs: number | null
}

/** Thrown when the other side took too long. */
export class TooSlow extends Error {
  override readonly name = 'TooSlow'
}

/** Bounds how long the other side may take, and ends every wait at once when the attempt is to end. */
export class RequestLimits {
  readonly #controller = new AbortController()
  readonly #idleMs: number
  readonly #attempt: AbortSignal
  readonly #totalTimer: NodeJS.Timeout | undefined
  readonly #onAttemptEnd = () => this.#controller.abort(this.#attempt.reason)
  #leftMs: number
  #uncounted = 0

  constructor({ signal, idleMs, totalMs }: LimitOptions) {
    this.#attempt = signal
    this.#idleMs = idleMs
    this.#leftMs = idleMs
    if (signal.aborted) this.#onAttemptEnd()
    signal.addEventListener('abort', this.#onAttemptEnd, { once: true })
    if (totalMs !== null) {
      const error = new TooSlow(`the request took longer than ${totalMs / 1000} s (timeout_s)`)
      this.#totalTimer = setTimeout(() => this.#controller.abort(error), totalMs)
    }
  }

  /** Aborts the request. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Waits for something that the other side owes; the time counts against the idle limit until `#heard`. */
  async #wait<Value>(work: Promise<Value>): Promise<Value> {
    const { signal } = this
    const began = performance.now()
    const timer = setTimeout(() => this.#controller.abort(this.#silence()), this.#leftMs)
    let onAbort = () => {}
    try {
      return await Promise.race([
        work,
        new Promise<never>((_, reject) => {
          onAbort = () => reject(signal.reason)
          if (signal.aborted) onAbort()
          else signal.addEventListener('abort', onAbort, { once: true })
        }),
      ])
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      this.#leftMs = Math.max(1, this.#leftMs - (performance.now() - began))
    }
  }

  /** Waits for one answer, from the connection to the last header. @throws TooSlow, or the reason of the attempt's end */
  async answer<Value>(work: Promise<Value>): Promise<Value> {
    this.#heard()
    const value = await this.#wait(work)
    this.#heard()
    return value
  }

  /**
   * @param leastBytes so many must come within the idle limit
   * @returns the pieces of a body as they come; the body is destroyed when nobody wants more
   * @throws TooSlow, or the reason of the attempt's end
   */
  async *pieces(body: Readable, leastBytes: number): AsyncGenerator<Uint8Array, void, undefined> {
    const iterator = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>
    try {
      for (;;) {
        const { done, value } = await this.#wait(iterator.next())
        if (done === true) return
        this.#uncounted += value.length
        if (this.#uncounted >= leastBytes) this.#heard()
        yield value
      }
    } finally {
      discard(body)
    }
  }

  /** Ends what is left of the request. */
  close(): void {
    clearTimeout(this.#totalTimer)
    this.#attempt.removeEventListener('abort', this.#onAttemptEnd)
    this.#controller.abort(new Error('the request is over'))
  }

  #heard(): void {
    this.#leftMs = this.#idleMs
    this.#uncounted = 0
  }

  #silence(): TooSlow {
    const seconds = this.#idleMs / 1000
    return new TooSlow(
      this.#uncounted === 0
        ? `nothing came for ${seconds} s (idle_s)`
        : `only ${this.#uncounted} bytes came within ${seconds} s (idle_s)`,
    )
  }
}

/** Gives up a body: its connection is closed unless it has ended. */
export function discard(body: Readable): void {
  body.on('error', () => undefined)
  body.destroy()
}
