const { add, load, notify, store, wait } = Atomics

/** Places of the 32-bit words. */
const current = 0
const limit = 1
const cancelled = 2
const activity = 3
const credits = 4
/** Places of the 64-bit numbers, behind the words. */
const startedAt = 4
const written = 5
const allowed = 6
const bootedAt = 7
const blockBytes = 64

/**
 * What the host's main thread and one of its threads know of each other at any moment, also while the thread is in a loop that
 * never awaits. Attempts are named by their sequence number within the thread, from 1.
 */
export class ControlBlock {
  readonly buffer: SharedArrayBuffer
  readonly #words: Int32Array<SharedArrayBuffer>
  readonly #numbers: Float64Array<SharedArrayBuffer>

  constructor(buffer = new SharedArrayBuffer(blockBytes)) {
    this.buffer = buffer
    this.#words = new Int32Array(buffer)
    this.#numbers = new Float64Array(buffer)
  }

  /** @returns the attempt that runs, or ran last; 0 before the first */
  current(): number {
    return load(this.#words, current)
  }

  /** The thread runs, and begins to load its code. @param now monotonic ms */
  boot(now: number): void {
    this.#numbers[bootedAt] = now
  }

  /** @returns monotonic ms; 0 while the thread itself is not ready */
  bootedAt(): number {
    return this.#numbers[bootedAt] ?? 0
  }

  /** @returns monotonic ms at which the current attempt began */
  startedAt(): number {
    return this.#numbers[startedAt] ?? 0
  }

  /**
   * The thread begins an attempt.
   * @param now monotonic ms
   * @returns false when it was taken back: it must not run
   */
  begin(seq: number, now: number): boolean {
    this.#numbers[startedAt] = now
    this.#numbers[written] = 0
    this.#numbers[allowed] = 0
    store(this.#words, current, seq)
    // Read after the store: either the main thread sees that it began, or this sees that it was taken back.
    return load(this.#words, limit) >= seq
  }

  /** Main thread: attempts up to this one may begin. */
  permit(seq: number): void {
    store(this.#words, limit, seq)
  }

  /** Main thread: takes back what has not begun. @returns the last attempt that has begun */
  takeBack(): number {
    store(this.#words, limit, load(this.#words, current))
    return load(this.#words, current)
  }

  cancel(seq: number): void {
    store(this.#words, cancelled, seq)
    notify(this.#words, credits)
  }

  isCancelled(seq: number): boolean {
    return load(this.#words, cancelled) === seq
  }

  /** A sign of life. */
  touch(): void {
    add(this.#words, activity, 1)
  }

  /** @returns a number that differs after every sign of life */
  activity(): number {
    return load(this.#words, activity)
  }

  /** The thread has written so many bytes of output for the current attempt. */
  wrote(bytes: number): void {
    this.#numbers[written] = bytes
    add(this.#words, activity, 1)
  }

  written(): number {
    return this.#numbers[written] ?? 0
  }

  /** Main thread: the current attempt may write until it has written so many bytes. */
  allow(bytes: number): void {
    this.#numbers[allowed] = bytes
    add(this.#words, credits, 1)
    notify(this.#words, credits)
  }

  allowed(): number {
    return this.#numbers[allowed] ?? 0
  }

  /** @returns what `waitForCredit` is given */
  creditState(): number {
    return load(this.#words, credits)
  }

  /** The thread stands still until more is allowed, it is cancelled, or `ms` are over. */
  waitForCredit(state: number, ms: number): void {
    wait(this.#words, credits, state, ms)
  }
}
