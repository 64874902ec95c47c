import type { Clock } from '../../domain/clock.ts'
import { type Job, longestRateWindowMs, type Unit } from '../../domain/job.ts'
import type { HeldUnit, JobStore, RunnableJob } from '../../domain/ports/job-store.ts'
import type { Lane } from '../../domain/ports/lane-store.ts'
import type { ExecutorKind } from '../../domain/states.ts'
import type { Commit, CommitQueue } from './commit-queue.ts'
import { type Admission, type Block, LaneLimits } from './lane-limits.ts'
import { laneId, ReadyIndex, type ReadyLane } from './ready-index.ts'

export interface Claim {
  readonly unit: Unit & { readonly state: 'running' }
  /** After the claim. */
  readonly job: Job
}

/** Where claimed units of some job types go. */
export interface Pool {
  readonly kind: ExecutorKind
  readonly workerId: string
  /** Units at once; of a pool that ends them in the commit of their claim: units in one commit. */
  readonly slots: number
  /**
   * False: `start` is called after the commit of the claims. True: it is called in their transaction and ends them there, so that
   * they hold no slot; such pools come first, and what they make possible is claimed in the same commit.
   */
  readonly endsInCommit: boolean
  /** The claims are of one job. */
  readonly start: (claims: readonly Claim[], commit: Commit) => void
}

export interface DispatcherOptions {
  readonly store: JobStore
  readonly commits: CommitQueue
  readonly clock: Clock
  readonly pools: readonly Pool[]
  readonly executorOf: (type: string) => ExecutorKind
  readonly createNonce: () => string
}

/** A timer further away is set again later: it is only a hint, wall clocks jump and machines sleep. */
const longestTimerMs = 30_000
const rebuildPage = 1_000
/** One claim statement holds the loop for some milliseconds at most. */
const largestClaim = 250

interface Place {
  readonly pool: PoolState
  readonly queue: string
  readonly limitKey: string | null
  readonly client: string
}

/** A pool with what waits for it and what it runs. */
class PoolState {
  readonly pool: Pool
  readonly index: ReadyIndex
  readonly #runningByClient = new Map<string, number>()
  busy = 0
  /** Units that ended in the commit that is being made. */
  ended = 0

  constructor(pool: Pool) {
    this.pool = pool
    this.index = new ReadyIndex({ runningOf: (client) => this.#runningByClient.get(client) ?? 0 })
  }

  get free(): number {
    return this.pool.slots - this.busy - this.ended
  }

  count(client: string, by: number): void {
    this.busy += by
    const running = (this.#runningByClient.get(client) ?? 0) + by
    if (running > 0) this.#runningByClient.set(client, running)
    else this.#runningByClient.delete(client)
  }
}

/**
 * Gives due units to free slots, in the transaction of whatever made it possible. Never polls: it runs at the end of a commit
 * group, and by one timer for the next due time.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions
  readonly #pools: ReadonlyMap<ExecutorKind, PoolState>
  readonly #limits: LaneLimits
  /** Where each running unit counts. */
  readonly #busy = new Map<string, Place>()
  /** Lanes that wait for a running unit of their limit key. */
  readonly #parked = new Map<string, Map<string, ReadyLane>>()
  #timer: NodeJS.Timeout | null = null
  #quiet = true
  #backOffUntil = 0

  constructor(options: DispatcherOptions) {
    this.#options = options
    this.#limits = new LaneLimits(options.clock)
    this.#pools = new Map(options.pools.map((pool) => [pool.kind, new PoolState(pool)]))
    options.commits.addClosingHook((commit) => this.#fill(commit))
  }

  /** Reads limits, holds and every runnable job, and begins to claim. */
  start(): void {
    const { store, clock } = this.#options
    this.reloadQueues()
    this.#limits.restore(store.readLaneHolds(clock.now()), store.readLaneStarts(clock.now() - longestRateWindowMs))
    this.rebuild()
    this.#quiet = false
    this.#options.commits.wake()
  }

  /** Reads every runnable job again: after the storage was reopened or due times were moved, the index may lack some. */
  rebuild(): void {
    const { store } = this.#options
    let after = 0
    for (;;) {
      const page = store.readRunnableJobs(after, rebuildPage)
      this.offer(page)
      const last = page.at(-1)
      if (last === undefined) break
      after = last.seq
    }
    this.#options.commits.wake()
  }

  /** The limits of queues have changed: what a limit held back may start in the next group. */
  reloadQueues(): void {
    this.#limits.setQueues(this.#options.store.readQueues())
    this.#options.commits.wake()
  }

  /** No new claims. */
  quiet(): void {
    this.#quiet = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  /** Lanes that have (or may have) an available unit. The next group tries to claim it. */
  offer(lanes: readonly RunnableJob[]): void {
    const now = this.#options.clock.now()
    for (const { nextDueAt, ...lane } of lanes) {
      this.#poolOf(lane.type).index.offer({ ...lane, dueAt: nextDueAt }, now)
    }
  }

  /** Adopted attempts hold slots too. */
  occupySlot(held: HeldUnit): void {
    const { job, executor, fence, limitKey } = held
    this.#occupy(fence.unitId, { pool: this.#poolNamed(executor), queue: job.queue, limitKey, client: job.submittedBy })
  }

  /** @returns a way to take the slot back, for a transaction that fails. */
  releaseSlot(unitId: string): () => void {
    const place = this.#busy.get(unitId)
    if (place === undefined) return () => undefined
    this.#vacate(unitId, place)
    return () => this.#occupy(unitId, place)
  }

  /** The machine cannot start processes now: no claims for a while. */
  backOff(ms: number): void {
    this.#backOffUntil = this.#options.clock.monotonic() + ms
    setTimeout(() => this.#options.commits.wake(), ms + 1).unref()
  }

  /** A lane was told to slow down: nothing of it starts before `until`, wall ms. */
  holdLane(lane: Lane, until: number): void {
    this.#limits.hold(lane, until)
  }

  /** Slots of the executor that runs a type. */
  slotsOf(type: string): { readonly total: number; readonly busy: number } {
    const { pool, busy } = this.#poolOf(type)
    return { total: pool.slots, busy }
  }

  isQueuePaused(queue: string): boolean {
    return this.#limits.isPaused(queue)
  }

  runningInQueue(queue: string): number {
    return this.#limits.runningInQueue(queue)
  }

  /** Why nothing of a queue starts now: wall ms until which it is held, or that its limit is reached. */
  waitOfQueue(queue: string): { readonly heldUntil: number; readonly isHeld: boolean } | 'full' | null {
    const block = this.#limits.blockOfQueue(queue)
    if (block === null) return null
    return block.kind === 'full' ? 'full' : { heldUntil: block.at, isHeld: block.isHeld }
  }

  /** Lanes that wait for a slot, a limit or a due time, as far as the index knows. */
  get waitingJobs(): number {
    let waiting = 0
    for (const { index } of this.#pools.values()) waiting += index.size
    for (const lanes of this.#parked.values()) waiting += lanes.size
    return waiting
  }

  #fill(commit: Commit): void {
    const { clock } = this.#options
    if (this.#quiet || clock.monotonic() < this.#backOffUntil) return
    let nextAt = Number.POSITIVE_INFINITY
    const isOpen = (queue: string) => {
      const block = this.#limits.blockOfQueue(queue)
      if (block?.kind === 'until') nextAt = Math.min(nextAt, block.at)
      return block === null
    }
    for (const state of this.#pools.values()) {
      state.ended = 0
      while (state.free > 0) {
        const ready = state.index.peek(clock.now(), isOpen)
        if (ready === undefined) break
        this.#serve(state, ready, commit)
      }
      // Calls come first; the rest has the next commit.
      if (state.ended > 0 && state.free <= 0) commit.afterCommit(() => this.#options.commits.wake())
      nextAt = Math.min(nextAt, state.index.nextDueAt() ?? nextAt)
    }
    this.#setTimer(nextAt)
  }

  #serve(state: PoolState, ready: ReadyLane, commit: Commit): void {
    const { index } = state
    const share = Math.min(largestClaim, Math.ceil(state.free / index.readyClients))
    const admission = this.#limits.admit(ready, share)
    index.remove(ready)
    if ('kind' in admission) {
      this.#park(state, ready, admission)
      return
    }
    try {
      this.#claim(state, ready, admission, commit)
    } catch (error) {
      // The lane is as claimable as before; only this try failed.
      index.offer(ready, this.#options.clock.now())
      throw error
    }
  }

  #claim(state: PoolState, ready: ReadyLane, { count, counted }: Admission, commit: Commit): void {
    const { store, clock, createNonce } = this.#options
    const { pool, index } = state
    const now = clock.now()
    const { units, job, nextDueAt } = store.claimUnitsIfDue({
      jobId: ready.jobId,
      limitKey: ready.limitKey,
      limit: count,
      workerId: pool.workerId,
      executor: pool.kind,
      mode: 'local',
      nonce: createNonce(),
      ...(counted.length === 0 ? {} : { countedLanes: counted }),
      now,
    })
    if (nextDueAt !== null)
      index.offer({ ...ready, dueAt: units.length === 0 ? Math.max(nextDueAt, now + 1) : nextDueAt }, now)
    if (units.length === 0 || job === null) return
    this.#limits.noteStarts(counted, units.length)
    commit.afterFailure(() => index.offer({ ...ready, dueAt: now }, now))
    const claims = units.map((unit) => ({ unit, job }))
    if (pool.endsInCommit) {
      state.ended += units.length
      pool.start(claims, commit)
      return
    }
    const { queue, limitKey, submittedBy: client } = ready
    for (const unit of units) this.#occupy(unit.id, { pool: state, queue, limitKey, client })
    commit.afterCommit(() => pool.start(claims, commit))
    commit.afterFailure(() => {
      for (const unit of units) this.releaseSlot(unit.id)
    })
  }

  #park(state: PoolState, ready: ReadyLane, block: Block): void {
    if (block.kind === 'until') {
      state.index.offer({ ...ready, dueAt: block.at }, this.#options.clock.now())
      return
    }
    const name = parkingName(block.lane.queue, block.lane.key)
    const parked = this.#parked.get(name) ?? new Map<string, ReadyLane>()
    parked.set(laneId(ready), ready)
    this.#parked.set(name, parked)
  }

  #occupy(unitId: string, place: Place): void {
    if (this.#busy.has(unitId)) return
    this.#busy.set(unitId, place)
    place.pool.count(place.client, 1)
    this.#limits.count(place.queue, place.limitKey, 1)
  }

  #vacate(unitId: string, place: Place): void {
    this.#busy.delete(unitId)
    place.pool.count(place.client, -1)
    this.#limits.count(place.queue, place.limitKey, -1)
    if (place.limitKey === null) return
    const name = parkingName(place.queue, place.limitKey)
    const parked = this.#parked.get(name)
    if (parked === undefined) return
    this.#parked.delete(name)
    const now = this.#options.clock.now()
    for (const lane of parked.values()) this.#poolOf(lane.type).index.offer(lane, now)
  }

  #poolOf(type: string): PoolState {
    return this.#poolNamed(this.#options.executorOf(type))
  }

  #poolNamed(kind: ExecutorKind): PoolState {
    const state = this.#pools.get(kind)
    if (state === undefined) throw new RangeError(`no pool runs ${kind}`)
    return state
  }

  #setTimer(at: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (at === Number.POSITIVE_INFINITY) return
    const wait = Math.min(Math.max(1, at - this.#options.clock.now()), longestTimerMs)
    this.#timer = setTimeout(() => this.#options.commits.wake(), wait)
    this.#timer.unref()
  }
}

function parkingName(queue: string, key: string): string {
  return JSON.stringify([queue, key])
}
