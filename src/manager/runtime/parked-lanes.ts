import type { Lane } from '../../domain/ports/lane-store.ts'
import { laneId, type ReadyLane } from './ready-index.ts'

/** Lanes that wait until a unit of their limit key, or of their type, has ended: they are offered again then. */
export class ParkedLanes {
  readonly #offer: (lane: ReadyLane) => void
  readonly #parked = new Map<string, Map<string, ReadyLane>>()

  constructor(offer: (lane: ReadyLane) => void) {
    this.#offer = offer
  }

  behindLane(lane: Lane, ready: ReadyLane): void {
    this.#park(laneName(lane), ready)
  }

  behindType(ready: ReadyLane): void {
    this.#park(typeName(ready.type), ready)
  }

  freeLane(lane: Lane): void {
    this.#free(laneName(lane))
  }

  freeType(type: string): void {
    this.#free(typeName(type))
  }

  freeTypes(): void {
    for (const name of [...this.#parked.keys()]) if (name.startsWith(typeMark)) this.#free(name)
  }

  get size(): number {
    let size = 0
    for (const lanes of this.#parked.values()) size += lanes.size
    return size
  }

  #park(name: string, ready: ReadyLane): void {
    const parked = this.#parked.get(name) ?? new Map<string, ReadyLane>()
    parked.set(laneId(ready), ready)
    this.#parked.set(name, parked)
  }

  #free(name: string): void {
    const parked = this.#parked.get(name)
    if (parked === undefined) return
    this.#parked.delete(name)
    for (const lane of parked.values()) this.#offer(lane)
  }
}

const typeMark = 'type '

function typeName(type: string): string {
  return typeMark + type
}

function laneName({ queue, key }: Lane): string {
  return JSON.stringify([queue, key])
}
