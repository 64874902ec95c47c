import type { Clock } from '../../domain/clock.ts'

export interface IdleExitOptions {
  readonly clock: Clock
  readonly idleMs: number
  /** True while anything is unfinished, connected or scheduled (DESIGN §10.12). */
  readonly isNeeded: () => boolean
  readonly exit: () => void
}

/** Ends a manager that nobody needs. Looks rarely; one look costs an indexed count. */
export class IdleExit {
  readonly #options: IdleExitOptions
  #timer: NodeJS.Timeout | null = null
  #lastNeeded: number

  constructor(options: IdleExitOptions) {
    this.#options = options
    this.#lastNeeded = options.clock.monotonic()
  }

  start(): void {
    const period = Math.min(60_000, Math.max(50, this.#options.idleMs / 4))
    this.#timer = setInterval(() => this.#look(), period)
    this.#timer.unref()
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }

  #look(): void {
    const { clock, idleMs, isNeeded, exit } = this.#options
    if (isNeeded()) {
      this.#lastNeeded = clock.monotonic()
      return
    }
    if (clock.monotonic() - this.#lastNeeded >= idleMs) exit()
  }
}
