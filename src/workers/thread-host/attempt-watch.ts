import type { AttemptDesk } from './attempt-desk.ts'
import { failure } from './failure.ts'
import type { HostAttempt } from './host-attempt.ts'
import type { HostContext } from './host-context.ts'
import { MemoryWatch } from './memory-watch.ts'
import type { PoolThread } from './pool-thread.ts'

/** Looks at what runs, several times a second: time, silence, output, memory. */
export class AttemptWatch {
  readonly #context: HostContext
  readonly #desk: AttemptDesk
  readonly #memory: MemoryWatch

  constructor(context: HostContext, desk: AttemptDesk) {
    this.#context = context
    this.#desk = desk
    this.#memory = new MemoryWatch(context.order.memory_bytes)
  }

  /** @returns true when it should look again very soon */
  look(): boolean {
    const now = this.#context.clock()
    let isFast = false
    let running = 0
    let ending = 0
    let only: HostAttempt | null = null
    for (const thread of this.#desk.pool.threads) {
      if (!thread.isUsable && !thread.isGone) ending += 1
      const attempt = runningIn(thread)
      if (attempt === null) continue
      if (attempt.output !== null) this.#desk.care(attempt)
      if (attempt.output?.isFast === true) isFast = true
      this.#seeActivity(thread, attempt, now)
      if (attempt.verdict === null) this.#checkTime(attempt, now)
      if (attempt.verdict === null && attempt.hasBegun) {
        running += 1
        only = attempt
      }
    }
    this.#checkMemory(only, running, ending, now)
    this.#desk.pool.tend()
    return isFast
  }

  /** @returns what runs, for a manager that asks */
  list(): readonly { readonly key: string; readonly elapsed_ms: number; readonly silent_ms: number }[] {
    const now = this.#context.clock()
    return [...this.#desk.pool.threads].flatMap((thread) => {
      const attempt = runningIn(thread)
      if (attempt === null) return []
      this.#seeActivity(thread, attempt, now)
      const silentMs = Math.max(0, Math.round(now - attempt.activeAt))
      return [{ key: attempt.key, elapsed_ms: attempt.elapsedMs(now), silent_ms: silentMs }]
    })
  }

  #seeActivity({ control }: PoolThread, attempt: HostAttempt, now: number): void {
    // Its silence begins when its thread can speak.
    const activity = control.bootedAt() === 0 ? -1 : control.activity()
    if (activity === -1) attempt.activeAt = now
    if (attempt.activity === activity) return
    // What its thread did before is not its own.
    attempt.activeAt = attempt.activity === -1 ? now - attempt.elapsedMs(now) : now
    attempt.activity = activity
  }

  #checkTime(attempt: HostAttempt, now: number): void {
    const { unit_timeout_ms: unitMs, idle_timeout_ms: idleMs } = attempt.job
    if (unitMs !== null && attempt.elapsedMs(now) >= unitMs)
      this.#desk.end(attempt, { kind: 'timed_out', which: 'unit', limitMs: unitMs })
    else if (idleMs !== null && now - attempt.activeAt >= idleMs)
      this.#desk.end(attempt, { kind: 'timed_out', which: 'idle', limitMs: idleMs })
  }

  #checkMemory(only: HostAttempt | null, running: number, ending: number, now: number): void {
    const { order, dies, log } = this.#context
    const rssBytes = process.memoryUsage.rss()
    const judged = this.#memory.judge(rssBytes, running, ending, now)
    // What is over the limit must not be blamed on what begins now.
    this.#desk.pool.hold(judged !== 'nothing')
    if (judged === 'nothing') return
    const limit = `${Math.round(order.memory_bytes / 1024 ** 2)} MB`
    if (judged === 'end_the_one' && only !== null) {
      const message = `the attempt took the memory of its host process over ${limit} (host_memory), buffers included`
      this.#desk.end(only, failure('out_of_memory', message, 'policy'), 0)
    } else if (judged === 'end_the_host') {
      dies('memory', `the host has ${Math.round(rssBytes / 1024 ** 2)} MB, and may have ${limit}`, null)
    } else if (running === 0) {
      this.#desk.pool.endIdle()
      log(`the host has more than ${limit} with nothing running`)
    }
  }
}

/** @returns what runs in a thread, or will as soon as its code is loaded */
function runningIn(thread: PoolThread): HostAttempt | null {
  if (thread.handed.size === 0) return null
  const [first] = thread.handed.values()
  const attempt = thread.handed.get(thread.control.current()) ?? first
  return attempt?.phase === 'handed' ? attempt : null
}
