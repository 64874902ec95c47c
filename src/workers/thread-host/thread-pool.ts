import { AttemptQueue } from './attempt-queue.ts'
import { ChunkSizes } from './chunk-size.ts'
import type { HostCode } from './job-book.ts'
import { PoolThread, type ThreadOptions } from './pool-thread.ts'

export interface PoolOptions {
  /** Attempts that may run at once. */
  readonly threads: number
  readonly thread: Omit<ThreadOptions, 'heapMegabytes'>
  readonly now: () => number
  /** No thread can be made now. */
  readonly cannotStart: (error: unknown) => void
}

/** Heap of a thread that is started before it is known what for. */
const usualHeapMegabytes = 512
/** A thread that nobody needs gives its memory back after this long. */
const idleEndMs = 60_000
/** What a thread holds back behind a long attempt goes to others after this long. */
const longAttemptMs = 20

/**
 * The threads and what waits for them. An attempt of a code that is not reusable gets a thread of its own, started before it is
 * needed; attempts of a reusable code follow each other in the same threads.
 */
export class ThreadPool {
  readonly queue = new AttemptQueue()
  readonly #options: PoolOptions
  readonly #threads = new Set<PoolThread>()
  readonly #sizes = new ChunkSizes()
  readonly #chunks = new Map<PoolThread, { readonly count: number; readonly begunAt: number }>()
  /** Codes that went wrong while they were loaded ahead: the next attempt loads them itself, and tells why. */
  readonly #badSpares = new Set<string>()
  /** The code that ran last and needs a thread for each attempt. */
  #freshCode: HostCode | null = null
  #isHeld = false

  constructor(options: PoolOptions) {
    this.#options = options
  }

  get threads(): Iterable<PoolThread> {
    return this.#threads
  }

  get isHeld(): boolean {
    return this.#isHeld
  }

  /** Starts a thread for whatever comes first. */
  warm(): void {
    this.#make(usualHeapMegabytes, null)
  }

  /** While it is held nothing new begins. */
  hold(isHeld: boolean): void {
    if (this.#isHeld === isHeld) return
    this.#isHeld = isHeld
    if (!isHeld) this.pump()
  }

  /** Gives what waits to threads that are free. */
  pump(): void {
    while (!this.#isHeld && this.#busy() < this.#options.threads) {
      const code = this.queue.peek()?.job.code
      if (code === undefined) break
      const thread = this.#threadFor(code)
      if (thread === null) break
      const { threads, now } = this.#options
      const most = code.reusable ? this.#sizes.next(code.key, this.queue.length, threads) : 1
      const attempts = this.queue.take(most)
      this.#chunks.set(thread, { count: attempts.length, begunAt: now() })
      thread.hand(attempts, now())
      if (!code.reusable) this.#freshCode = code
    }
    this.#prepareSpare()
  }

  /** Nothing is left of what a reusable thread was given. */
  becameIdle(thread: PoolThread): void {
    const { now } = this.#options
    const chunk = this.#chunks.get(thread)
    this.#chunks.delete(thread)
    thread.isBusy = false
    thread.idleSince = now()
    if (chunk !== undefined && thread.code !== null)
      this.#sizes.add(thread.code.key, chunk.count, now() - chunk.begunAt)
    if (thread.isUsable) this.pump()
    else void thread.end()
  }

  /** @param died true when nobody ended it */
  wasGone(thread: PoolThread, died: boolean): void {
    this.#threads.delete(thread)
    this.#chunks.delete(thread)
    if (died && !thread.isBusy) this.markBadSpare(thread)
    this.pump()
  }

  markBadSpare(thread: PoolThread): void {
    if (thread.code !== null) this.#badSpares.add(thread.code.key)
  }

  /** Attempts that have not begun in a thread wait again, in front of all others. */
  takeBack(thread: PoolThread): void {
    const back = thread.takeBack()
    if (back.length === 0) return
    this.queue.putBack(back)
    queueMicrotask(() => this.pump())
  }

  forget(jobKeys: readonly string[]): void {
    for (const thread of this.#threads) thread.forget(jobKeys)
  }

  /** Called ten times a second while anything runs. */
  tend(): void {
    const { now, threads } = this.#options
    for (const thread of this.#threads) {
      if (thread.isBusy || now() - thread.idleSince < idleEndMs) continue
      if (thread.code?.key === this.#freshCode?.key) this.#freshCode = null
      void thread.end()
    }
    if (this.#busy() >= threads) return
    if (this.queue.peek() !== undefined) {
      // No thread could be made a moment ago.
      this.pump()
      return
    }
    for (const thread of this.#threads) {
      const hasBegun = thread.handed.has(thread.control.current())
      if (thread.handed.size < 2 || !hasBegun || now() - thread.control.startedAt() < longAttemptMs) continue
      this.takeBack(thread)
    }
    this.pump()
  }

  /** The code of a file is another now: threads with the one before take nothing more. */
  retire(file: string, codeKey: string): void {
    for (const thread of this.#threads) {
      if (thread.code?.file !== file || thread.code.key === codeKey) continue
      thread.isUsable = false
      if (!thread.isBusy) void thread.end()
    }
  }

  /** Ends all threads. Resolves when they are gone, however long that takes. */
  async endAll(): Promise<void> {
    this.#isHeld = true
    await Promise.all([...this.#threads].map((thread) => thread.end()))
  }

  /** Ends all threads that do nothing. */
  endIdle(): void {
    for (const thread of this.#threads) if (!thread.isBusy) void thread.end()
  }

  #busy(): number {
    let busy = 0
    for (const thread of this.#threads) if (thread.isBusy) busy += 1
    return busy
  }

  #threadFor(code: HostCode): PoolThread | null {
    const free = [...this.#threads].filter((thread) => !thread.isBusy && thread.isUsable)
    const same = free.filter((thread) => thread.code?.key === code.key)
    const ready = same.find((thread) => thread.isLoaded) ?? same[0]
    if (ready !== undefined) return ready
    const blank = free.find((thread) => thread.code === null && thread.heapMegabytes === code.heapMegabytes)
    if (blank !== undefined) {
      blank.load(code)
      return blank
    }
    this.#makeRoom(free)
    return this.#make(code.heapMegabytes, code)
  }

  /** At most as many threads do nothing as may be busy: the one that has done so for longest goes first. */
  #makeRoom(free: readonly PoolThread[]): void {
    if (free.length < this.#options.threads) return
    const oldest = free.reduce((one, other) => (other.idleSince < one.idleSince ? other : one))
    void oldest.end()
  }

  #make(heapMegabytes: number, code: HostCode | null): PoolThread | null {
    try {
      const thread = new PoolThread({ ...this.#options.thread, heapMegabytes })
      thread.idleSince = this.#options.now()
      this.#threads.add(thread)
      if (code !== null) thread.load(code)
      return thread
    } catch (error) {
      this.#options.cannotStart(error)
      return null
    }
  }

  /** The next attempt of the code that ran last should not wait for its thread. */
  #prepareSpare(): void {
    const code = this.#freshCode
    if (code === null || this.#isHeld || this.#badSpares.has(code.key)) return
    const free = [...this.#threads].filter((thread) => !thread.isBusy && thread.isUsable)
    const spares = free.filter((thread) => thread.code?.key === code.key).length
    const wanted = Math.min(this.#options.threads, Math.max(1, this.queue.length))
    if (spares >= wanted) return
    this.#makeRoom(free)
    this.#make(code.heapMegabytes, code)
  }
}
