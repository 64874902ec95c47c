import type { Lane } from '../../domain/ports/lane-store.ts'
import { Heap } from './heap.ts'
import { laneId, type ReadyLane } from './ready-index.ts'

export interface ParkedLanesOptions {
  readonly offer: (lane: ReadyLane) => void
  /** Whether its type may run one more. */
  readonly hasTypeRoom: (lane: ReadyLane) => boolean
  /** Whether its limit key may run one more; a closed queue is the business of whoever it is offered to. */
  readonly hasKeyRoom: (lane: ReadyLane) => boolean
}

/** Lanes that wait behind the same type or limit key. */
interface Parked {
  readonly hasRoom: (lane: ReadyLane) => boolean
  /** The valid entry of each lane; heap items that are no longer it are skipped. */
  readonly current: Map<string, ReadyLane>
  /** Of one client and limit each, in running order: what there is room for, there is for the first of them or for none. */
  readonly lines: Map<string, Heap<ReadyLane>>
}

const earlier = (left: ReadyLane, right: ReadyLane) =>
  left.priority === right.priority ? left.seq < right.seq : left.priority < right.priority

/**
 * Lanes that wait until a unit of their limit key, or of their type, has ended. Then the first ones of each client are offered
 * again, as long as there is room: all of them would make every end as dear as there are lanes.
 */
export class ParkedLanes {
  readonly #options: ParkedLanesOptions
  readonly #parked = new Map<string, Parked>()
  /** Names behind which there may be room. */
  readonly #freed = new Set<string>()

  constructor(options: ParkedLanesOptions) {
    this.#options = options
  }

  behindLane(lane: Lane, ready: ReadyLane): void {
    this.#park(laneName(lane), ready, this.#options.hasKeyRoom)
  }

  behindType(ready: ReadyLane): void {
    this.#park(typeName(ready.type, ready.forGpu), ready, this.#options.hasTypeRoom)
  }

  freeLane(lane: Lane): void {
    this.#free(laneName(lane))
  }

  /** Here and at GPU workers: a limit of the type holds for both. */
  freeType(type: string): void {
    this.#free(typeName(type, false))
    this.#free(typeName(type, true))
  }

  freeTypes(): void {
    for (const name of this.#parked.keys()) if (name.startsWith(typeMark)) this.#free(name)
  }

  /**
   * Offers the first lane of each client behind what was freed and has room still. To be called until it offers nothing: an
   * offered lane may turn out to have nothing to run.
   * @returns whether it offered any
   */
  offerFreed(): boolean {
    let hasOffered = false
    for (const name of this.#freed) {
      if (this.#offerFirst(name)) hasOffered = true
      else this.#freed.delete(name)
    }
    return hasOffered
  }

  get size(): number {
    let size = 0
    for (const { current } of this.#parked.values()) size += current.size
    return size
  }

  #park(name: string, ready: ReadyLane, hasRoom: Parked['hasRoom']): void {
    const parked = this.#parked.get(name) ?? { hasRoom, current: new Map(), lines: new Map() }
    this.#parked.set(name, parked)
    parked.current.set(laneId(ready), ready)
    const lineName = JSON.stringify([ready.submittedBy, ready.keyLimits?.concurrency ?? null])
    const line = parked.lines.get(lineName) ?? new Heap<ReadyLane>(earlier)
    parked.lines.set(lineName, line)
    line.push(ready)
  }

  #free(name: string): void {
    if (this.#parked.has(name)) this.#freed.add(name)
  }

  #offerFirst(name: string): boolean {
    const parked = this.#parked.get(name)
    if (parked === undefined) return false
    const { current, lines, hasRoom } = parked
    let hasOffered = false
    for (const [lineName, line] of lines) {
      while (line.first !== undefined && current.get(laneId(line.first)) !== line.first) line.pop()
      const { first } = line
      if (first === undefined) lines.delete(lineName)
      else if (hasRoom(first)) {
        line.pop()
        current.delete(laneId(first))
        this.#options.offer(first)
        hasOffered = true
      }
    }
    if (current.size === 0) this.#parked.delete(name)
    return hasOffered
  }
}

const typeMark = 'type '

function typeName(type: string, forGpu: boolean): string {
  return `${typeMark}${forGpu ? '@gpu ' : ''}${type}`
}

function laneName({ queue, key }: Lane): string {
  return JSON.stringify([queue, key])
}
