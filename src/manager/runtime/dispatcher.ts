import type { Clock } from '../../domain/clock.ts'
import { longestRateWindowMs } from '../../domain/job.ts'
import type { HeldUnit, JobStore, RunnableJob } from '../../domain/ports/job-store.ts'
import type { Lane } from '../../domain/ports/lane-store.ts'
import type { ExecutorKind } from '../../domain/states.ts'
import type { Commit, CommitQueue } from './commit-queue.ts'
import { type Admission, type Block, LaneLimits } from './lane-limits.ts'
import { ParkedLanes } from './parked-lanes.ts'
import { type Pool, PoolState } from './pool.ts'
import type { ReadyLane } from './ready-index.ts'

export interface DispatcherOptions {
  readonly store: JobStore
  readonly commits: CommitQueue
  readonly clock: Clock
  readonly pools: readonly Pool[]
  readonly executorOf: (type: string) => ExecutorKind
  /** Units of a type that may run at once, over all jobs; 0: none for now, until `reloadTypes`. Null: no limit. */
  readonly typeLimitOf: (type: string) => number | null
  /** So many more units of a type GPU workers would take now; what changes it calls `reloadTypes`. */
  readonly gpuPlacesFor: (type: string) => number
  readonly createNonce: () => string
}

/** A timer further away is set again later: it is only a hint, wall clocks jump and machines sleep. */
const longestTimerMs = 30_000
const rebuildPage = 1_000
/** One claim statement holds the loop for some milliseconds at most. */
const largestClaim = 250

interface Place {
  readonly pool: PoolState
  readonly type: string
  /** Of a slot. */
  readonly share: number
  readonly queue: string
  readonly limitKey: string | null
  readonly client: string
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
  readonly #runningByType = new Map<string, number>()
  /** Lanes that wait for a running unit of their limit key, or of their type. */
  readonly #parked: ParkedLanes
  #timer: NodeJS.Timeout | null = null
  #quiet = true
  #backOffUntil = 0

  constructor(options: DispatcherOptions) {
    this.#options = options
    this.#limits = new LaneLimits(options.clock)
    this.#parked = new ParkedLanes({
      offer: (lane) => this.#poolOf(lane).index.offer(lane, options.clock.now()),
      hasTypeRoom: (lane) => this.#roomFor(lane) >= 1,
      hasKeyRoom: (lane) => this.#limits.hasKeyRoom(lane),
    })
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

  /** What types may run has changed: lanes that waited for that are looked at again. */
  reloadTypes(): void {
    this.#parked.freeTypes()
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
      this.#poolOf(lane).index.offer({ ...lane, dueAt: nextDueAt }, now)
    }
  }

  /** Adopted attempts hold slots too. */
  occupySlot(held: HeldUnit): void {
    const { job, executor, fence, limitKey } = held
    const { type, queue, submittedBy: client } = job
    this.#occupy(fence.unitId, { pool: this.#poolNamed(executor), type, share: 1, queue, limitKey, client })
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

  /** Ends the holds of a queue and of its keys. */
  endHolds(queue: string): void {
    this.#limits.endHolds(queue)
    // Lanes that wait for the end of a hold would be looked at only then.
    this.rebuild()
  }

  /** Slots of the executor that runs a type. */
  slotsOf(type: string): { readonly total: number; readonly busy: number } {
    return this.#poolOf({ type, forGpu: false }).slots
  }

  slotsOfKind(kind: ExecutorKind): { readonly total: number; readonly busy: number } {
    return this.#poolNamed(kind).slots
  }

  /** As many of a type run as may. */
  isTypeFull(type: string): boolean {
    return this.#typeRoom(type) < 1
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
    return waiting + this.#parked.size
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
    for (const state of this.#pools.values()) state.ended = 0
    // A limit key may be that of jobs of another pool.
    while (this.#serveAll(isOpen, commit));
    for (const state of this.#pools.values()) {
      // Calls come first; the rest has the next commit.
      if (state.ended > 0 && state.free <= 0) commit.afterCommit(() => this.#options.commits.wake())
      nextAt = Math.min(nextAt, state.index.nextDueAt() ?? nextAt)
    }
    this.#setTimer(nextAt)
  }

  /** @returns whether lanes that waited for room were offered, perhaps to a pool that was served before */
  #serveAll(isOpen: (queue: string) => boolean, commit: Commit): boolean {
    let hasOffered = false
    for (const state of this.#pools.values()) {
      while (state.free > 0) {
        const hasMore = this.#parked.offerFreed()
        hasOffered ||= hasMore
        const ready = state.index.peek(this.#options.clock.now(), isOpen)
        if (ready === undefined) {
          if (hasMore) continue
          break
        }
        // One that needs more than what is left goes first all the same: smaller ones must not overtake it for ever.
        if (!this.#serve(state, ready, commit)) break
      }
    }
    return hasOffered
  }

  /** @returns false when there is no room for a unit of its type */
  #serve(state: PoolState, ready: ReadyLane, commit: Commit): boolean {
    const { index } = state
    const share = state.shareOf(ready.type)
    const room = Math.floor(state.free / share)
    if (room < 1) return false
    const typeRoom = this.#roomFor(ready)
    index.remove(ready)
    if (typeRoom < 1) {
      this.#parked.behindType(ready)
      return true
    }
    const wanted = Math.min(largestClaim, Math.ceil(Math.min(room, typeRoom) / index.readyClients))
    const admission = this.#limits.admit(ready, wanted)
    if ('kind' in admission) {
      this.#wait(state, ready, admission)
      return true
    }
    try {
      this.#claim(state, ready, admission, commit)
    } catch (error) {
      // The lane is as claimable as before; only this try failed.
      index.offer(ready, this.#options.clock.now())
      throw error
    }
    return true
  }

  #typeRoom(type: string): number {
    const limit = this.#options.typeLimitOf(type)
    return limit === null ? Number.POSITIVE_INFINITY : limit - (this.#runningByType.get(type) ?? 0)
  }

  #roomFor({ type, forGpu }: Pick<ReadyLane, 'type' | 'forGpu'>): number {
    const room = this.#typeRoom(type)
    return forGpu ? Math.min(room, this.#options.gpuPlacesFor(type) - this.#poolNamed('gpu').starting) : room
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
      mode: pool.kind === 'gpu' ? 'remote' : 'local',
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
    const { type, queue, limitKey, submittedBy: client } = ready
    const place: Place = { pool: state, type, share: state.shareOf(type), queue, limitKey, client }
    for (const unit of units) this.#occupy(unit.id, place)
    state.starting += units.length
    commit.afterCommit(() => {
      state.starting -= units.length
      pool.start(claims, commit)
      // Lanes of other types, for other workers, may wait because of what was only starting.
      if (pool.kind === 'gpu' && this.#parked.size > 0) this.reloadTypes()
    })
    commit.afterFailure(() => {
      state.starting -= units.length
      for (const unit of units) this.releaseSlot(unit.id)
    })
  }

  #wait(state: PoolState, ready: ReadyLane, block: Block): void {
    if (block.kind === 'until') state.index.offer({ ...ready, dueAt: block.at }, this.#options.clock.now())
    else this.#parked.behindLane(block.lane, ready)
  }

  #occupy(unitId: string, place: Place): void {
    if (this.#busy.has(unitId)) return
    this.#busy.set(unitId, place)
    this.#count(place, 1)
  }

  #vacate(unitId: string, place: Place): void {
    this.#busy.delete(unitId)
    this.#count(place, -1)
    // Places at workers are shared: with those of its own type alone, a long job would keep the others away for ever.
    if (place.pool.pool.kind === 'gpu') this.#parked.freeTypes()
    else this.#parked.freeType(place.type)
    if (place.limitKey !== null) this.#parked.freeLane({ queue: place.queue, key: place.limitKey })
  }

  #count(place: Place, by: number): void {
    place.pool.count(place.client, by * place.share)
    this.#limits.count(place.queue, place.limitKey, by)
    this.#runningByType.set(place.type, (this.#runningByType.get(place.type) ?? 0) + by)
  }

  #poolOf({ type, forGpu }: Pick<ReadyLane, 'type' | 'forGpu'>): PoolState {
    return this.#poolNamed(forGpu ? 'gpu' : this.#options.executorOf(type))
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
