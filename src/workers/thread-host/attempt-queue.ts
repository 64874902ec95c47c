import type { HostAttempt } from './host-attempt.ts'

/** Attempts that wait for a thread, in order. */
export class AttemptQueue {
  #list: HostAttempt[] = []
  #first = 0

  push(attempt: HostAttempt): void {
    this.#list.push(attempt)
  }

  /** Takes back what had been taken, in front of all others and in the order given. */
  putBack(attempts: readonly HostAttempt[]): void {
    this.#list = [...attempts, ...this.#list.slice(this.#first)]
    this.#first = 0
  }

  /** Those that ended while they waited may be counted. */
  get length(): number {
    return this.#list.length - this.#first
  }

  peek(): HostAttempt | undefined {
    for (;;) {
      const attempt = this.#list[this.#first]
      if (attempt === undefined || attempt.phase === 'waiting') return attempt
      this.#drop()
    }
  }

  /** @returns the first attempts, as long as they run the code of the first one */
  take(most: number): HostAttempt[] {
    const taken: HostAttempt[] = []
    for (let next = this.peek(); next !== undefined && taken.length < most; next = this.peek()) {
      if (taken[0] !== undefined && taken[0].job.code.key !== next.job.code.key) break
      taken.push(next)
      this.#drop()
    }
    return taken
  }

  #drop(): void {
    this.#first += 1
    if (this.#first < 1024 || this.#first * 2 < this.#list.length) return
    this.#list = this.#list.slice(this.#first)
    this.#first = 0
  }
}
