import type { RunnableJob } from '../../domain/ports/job-store.ts'
import { Heap } from './heap.ts'

/** One lane of a job that may have a unit to claim; `dueAt` in wall ms. */
export interface ReadyLane extends Omit<RunnableJob, 'nextDueAt'> {
  readonly dueAt: number
}

/** Who has how many units running: the client with fewer goes first, so that none starves the others. */
export interface Shares {
  runningOf(client: string): number
}

/** Lanes of one client in one queue and priority, oldest job first, and when it was last served. */
interface ClientLine {
  readonly client: string
  readonly heap: Heap<ReadyLane>
  servedAt: number
}

interface QueueLine {
  /** By priority, then by client. */
  readonly priorities: Map<number, Map<string, ClientLine>>
}

const older = (left: ReadyLane, right: ReadyLane) => left.seq < right.seq

/** What tells lanes apart. */
export type LaneName = Pick<RunnableJob, 'jobId' | 'forGpu' | 'limitKey'>

export function laneId({ jobId, forGpu, limitKey }: LaneName): string {
  const place = forGpu ? `${jobId}@gpu` : jobId
  return limitKey === null ? place : `${place}/${limitKey}`
}

/**
 * Lanes that may have a unit to claim, in running order, and those that will later. Order: priority; among equals the client
 * with the fewest running units, then the one served longest ago; within a client the oldest job. A hint only: every claim is
 * a compare-and-set in the database, so a stale entry costs one statement and a missing one is added by the change that makes
 * it claimable.
 */
export class ReadyIndex {
  readonly #shares: Shares
  readonly #queues = new Map<string, QueueLine>()
  readonly #later = new Heap<ReadyLane>((left, right) => left.dueAt < right.dueAt)
  /** The valid entry of each lane; heap items that are no longer it are skipped. */
  readonly #current = new Map<string, ReadyLane>()
  #turn = 0

  constructor(shares: Shares) {
    this.#shares = shares
  }

  /** Adds or moves a lane. An entry that is due earlier, with the same priority and queue, stays. */
  offer(lane: ReadyLane, now: number): void {
    const id = laneId(lane)
    const known = this.#current.get(id)
    if (known !== undefined && known.dueAt <= lane.dueAt && known.priority === lane.priority) return
    this.#current.set(id, lane)
    if (lane.dueAt <= now) this.#push(lane)
    else this.#later.push(lane)
  }

  /**
   * @param isOpen whether a queue may start anything now
   * @returns the first lane in running order, without removing it
   */
  peek(now: number, isOpen: (queue: string) => boolean = () => true): ReadyLane | undefined {
    this.#promote(now)
    let best: { readonly lane: ReadyLane; readonly running: number; readonly servedAt: number } | undefined
    for (const [queue, line] of this.#queues) {
      if (!isOpen(queue)) continue
      for (const [priority, clients] of line.priorities) {
        if (best !== undefined && priority > best.lane.priority) continue
        for (const client of clients.values()) {
          const lane = this.#firstOf(client)
          if (lane === undefined) {
            clients.delete(client.client)
            continue
          }
          const running = this.#shares.runningOf(client.client)
          const { servedAt } = client
          if (best === undefined || goesBefore({ lane, running, servedAt }, best)) best = { lane, running, servedAt }
        }
        if (clients.size === 0) line.priorities.delete(priority)
      }
      if (line.priorities.size === 0) this.#queues.delete(queue)
    }
    return best?.lane
  }

  /** Takes a lane out; its client goes behind the others that have as many units running. */
  remove(lane: LaneName): void {
    const id = laneId(lane)
    const known = this.#current.get(id)
    if (known === undefined) return
    this.#current.delete(id)
    const client = this.#queues.get(known.queue)?.priorities.get(known.priority)?.get(known.submittedBy)
    this.#turn += 1
    if (client !== undefined) client.servedAt = this.#turn
  }

  /** @returns wall ms of the next lane that becomes due, or null. */
  nextDueAt(): number | null {
    for (let item = this.#later.first; item !== undefined; item = this.#later.first) {
      if (this.#isCurrent(item)) return item.dueAt
      this.#later.pop()
    }
    return null
  }

  /** Clients that have something ready, at least one: among so many a free slot is shared. */
  get readyClients(): number {
    const clients = new Set<string>()
    for (const line of this.#queues.values())
      for (const each of line.priorities.values()) for (const name of each.keys()) clients.add(name)
    return Math.max(1, clients.size)
  }

  get size(): number {
    return this.#current.size
  }

  #isCurrent(lane: ReadyLane): boolean {
    return this.#current.get(laneId(lane)) === lane
  }

  #promote(now: number): void {
    for (let item = this.#later.first; item !== undefined && item.dueAt <= now; item = this.#later.first) {
      this.#later.pop()
      if (this.#isCurrent(item)) this.#push(item)
    }
  }

  #firstOf(client: ClientLine): ReadyLane | undefined {
    for (let item = client.heap.first; item !== undefined; item = client.heap.first) {
      if (this.#isCurrent(item)) return item
      client.heap.pop()
    }
    return undefined
  }

  #push(lane: ReadyLane): void {
    const line = getOrMake(this.#queues, lane.queue, () => ({ priorities: new Map() }))
    const clients = getOrMake(line.priorities, lane.priority, () => new Map<string, ClientLine>())
    const client = getOrMake(clients, lane.submittedBy, () => ({
      client: lane.submittedBy,
      heap: new Heap(older),
      // Whoever comes anew is not put behind those that were served before.
      servedAt: 0,
    }))
    client.heap.push(lane)
  }
}

interface Candidate {
  readonly lane: ReadyLane
  readonly running: number
  readonly servedAt: number
}

function goesBefore(left: Candidate, right: Candidate): boolean {
  if (left.lane.priority !== right.lane.priority) return left.lane.priority < right.lane.priority
  if (left.lane.submittedBy === right.lane.submittedBy) return left.lane.seq < right.lane.seq
  if (left.running !== right.running) return left.running < right.running
  if (left.servedAt !== right.servedAt) return left.servedAt < right.servedAt
  return left.lane.seq < right.lane.seq
}

function getOrMake<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}
