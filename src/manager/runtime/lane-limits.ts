import type { Clock } from '../../domain/clock.ts'
import { type KeyLimits, longestRateWindowMs, type RateLimit } from '../../domain/job.ts'
import type { Lane, LaneHold, Queue } from '../../domain/ports/lane-store.ts'
import { RateWindow } from './rate-window.ts'
import type { ReadyLane } from './ready-index.ts'

/** Why a lane may not start anything now. */
export type Block =
  /** Until a running unit of the queue or key ends. */
  | { readonly kind: 'full'; readonly lane: Lane }
  /** Until then, wall ms; held: told to slow down, else by its own rate limit. */
  | { readonly kind: 'until'; readonly lane: Lane; readonly at: number; readonly isHeld: boolean }

export interface Admission {
  /** How many units may start now; at least 1. */
  readonly count: number
  /** Lanes with a rate limit, in which the starts are to be counted. */
  readonly counted: readonly Lane[]
}

interface LaneState {
  running: number
  window: RateWindow | null
  /** Monotonic ms: a hold is a length of time, whatever the wall clock does. */
  heldUntil: number
}

/**
 * Limits of queues and of limit keys: units at once, starts in a window, and holds after a remote "slow down". One manager
 * claims, so they are counted here and rebuilt at start from what runs and what the store kept.
 */
export class LaneLimits {
  readonly #clock: Clock
  readonly #lanes = new Map<string, LaneState>()
  #queues = new Map<string, Queue>()
  #sweepAt = smallestSweep

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Takes the limits of all queues as they are now. */
  setQueues(queues: readonly Queue[]): void {
    this.#queues = new Map(queues.map((queue) => [queue.name, queue]))
    for (const { name, rate } of queues) {
      const state = this.#stateOf({ queue: name, key: '' })
      if (rate === null) state.window = null
      else this.#windowOf(state, rate)
    }
  }

  /** Takes over holds and counted starts of an earlier manager; times in wall ms. */
  restore(holds: readonly LaneHold[], starts: readonly (Lane & { readonly startedAt: number })[]): void {
    for (const hold of holds) this.hold(hold, hold.until)
    const now = this.#clock.now()
    for (const start of starts) {
      const state = this.#stateOf(start)
      // The limit of a key is known only when one of its lanes is looked at; until then the count is kept in a wide window.
      state.window ??= new RateWindow(
        { count: Number.MAX_SAFE_INTEGER, windowMs: longestRateWindowMs },
        this.#clock.monotonic() + restoredMs,
      )
      state.window.add(1, this.#clock.monotonic() - Math.max(0, now - start.startedAt))
    }
  }

  /** Nothing of the lane starts before `until`, wall ms. */
  hold(lane: Lane, until: number): void {
    const state = this.#stateOf(lane)
    const now = this.#clock.monotonic()
    state.heldUntil = Math.max(state.heldUntil, now + until - this.#clock.now())
  }

  /** Ends the holds of a queue and of its keys. */
  endHolds(queue: string): void {
    const beginning = JSON.stringify([queue]).slice(0, -1)
    for (const [name, state] of this.#lanes) if (name.startsWith(`${beginning},`)) state.heldUntil = 0
  }

  /** @returns whether the limit key of a ready lane may run one more, whatever its queue may */
  hasKeyRoom({ queue, limitKey, keyLimits }: ReadyLane): boolean {
    return limitKey === null || this.#isBelow({ queue, key: limitKey }, keyLimits?.concurrency ?? null)
  }

  /** @returns wall ms until which the lane is held, or null. */
  heldUntil(lane: Lane): number | null {
    const leftMs = (this.#lanes.get(nameOf(lane))?.heldUntil ?? 0) - this.#clock.monotonic()
    return leftMs > 0 ? this.#clock.now() + leftMs : null
  }

  /** @returns why nothing of a queue may start now, or null. */
  blockOfQueue(queue: string): Block | null {
    const limits = this.#queues.get(queue)
    const lane = { queue, key: '' }
    return this.#block(lane, limits?.concurrency ?? null, limits?.rate ?? null)
  }

  /** @returns how many units of a ready lane may start now, at most `wanted`, or what blocks it. */
  admit(ready: ReadyLane, wanted: number): Admission | Block {
    const queue = { queue: ready.queue, key: '' }
    const limits = this.#queues.get(ready.queue)
    const inQueue = this.#admitLane(queue, limits?.concurrency ?? null, limits?.rate ?? null, wanted)
    if (typeof inQueue !== 'number') return inQueue
    if (ready.limitKey === null) {
      return { count: inQueue, counted: limits?.rate == null ? [] : [queue] }
    }
    const key = { queue: ready.queue, key: ready.limitKey }
    const { concurrency, rate } = ready.keyLimits ?? noLimits
    const inKey = this.#admitLane(key, concurrency, rate, inQueue)
    if (typeof inKey !== 'number') return inKey
    return { count: inKey, counted: [...(limits?.rate == null ? [] : [queue]), ...(rate === null ? [] : [key])] }
  }

  /** Units started (positive) or ended (negative) in a queue and, with a key, in that lane. */
  count(queue: string, key: string | null, by: number): void {
    this.#stateOf({ queue, key: '' }).running += by
    if (key === null) return
    const lane = { queue, key }
    this.#stateOf(lane).running += by
  }

  /** Starts that count in rate limits. */
  noteStarts(lanes: readonly Lane[], count: number): void {
    for (const lane of lanes) this.#stateOf(lane).window?.add(count, this.#clock.monotonic())
  }

  isPaused(queue: string): boolean {
    return this.#queues.get(queue)?.pausedAt != null
  }

  runningInQueue(queue: string): number {
    return this.#lanes.get(nameOf({ queue, key: '' }))?.running ?? 0
  }

  #admitLane(lane: Lane, concurrency: number | null, rate: RateLimit | null, wanted: number): number | Block {
    const block = this.#block(lane, concurrency, rate)
    if (block !== null) return block
    const state = this.#stateOf(lane)
    const free = concurrency === null ? wanted : concurrency - state.running
    const allowed = rate === null ? wanted : this.#windowOf(state, rate).allowance(this.#clock.monotonic())
    return Math.min(wanted, free, allowed)
  }

  #block(lane: Lane, concurrency: number | null, rate: RateLimit | null): Block | null {
    const state = this.#stateOf(lane)
    if (!this.#isBelow(lane, concurrency)) return { kind: 'full', lane }
    const now = this.#clock.monotonic()
    const rateMs = rate === null ? 0 : this.#windowOf(state, rate).waitMs(now)
    const heldMs = state.heldUntil - now
    const waitMs = Math.max(rateMs, heldMs)
    return waitMs > 0 ? { kind: 'until', lane, at: this.#clock.now() + waitMs, isHeld: heldMs >= rateMs } : null
  }

  #isBelow(lane: Lane, concurrency: number | null): boolean {
    return concurrency === null || (this.#lanes.get(nameOf(lane))?.running ?? 0) < concurrency
  }

  /** Jobs without a rate leave the window of their key alone: it counts the starts of the others. */
  #windowOf(state: LaneState, rate: RateLimit): RateWindow {
    state.window ??= new RateWindow(rate)
    state.window.use(rate, this.#clock.monotonic())
    return state.window
  }

  #stateOf(lane: Lane): LaneState {
    const name = nameOf(lane)
    const known = this.#lanes.get(name)
    if (known !== undefined) return known
    if (this.#lanes.size >= this.#sweepAt) this.#sweep()
    const made = { running: 0, window: null, heldUntil: 0 }
    this.#lanes.set(name, made)
    return made
  }

  /** A crawl sees very many keys: what says nothing any more is forgotten. */
  #sweep(): void {
    const now = this.#clock.monotonic()
    for (const [name, { running, window, heldUntil }] of this.#lanes) {
      const isFree = window === null || window.isEmpty(now)
      if (running === 0 && isFree && heldUntil <= now) this.#lanes.delete(name)
    }
    this.#sweepAt = Math.max(smallestSweep, 2 * this.#lanes.size)
  }
}

const smallestSweep = 10_000
/** Within this after a start every lane with a limit is looked at. */
const restoredMs = 60_000
const noLimits: KeyLimits = { concurrency: null, rate: null }

function nameOf(lane: Lane): string {
  return JSON.stringify([lane.queue, lane.key])
}
