import type { Job, Unit } from '../../domain/job.ts'
import type { ExecutorKind } from '../../domain/states.ts'
import type { Commit } from './commit-queue.ts'
import { ReadyIndex } from './ready-index.ts'

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
  /** So many units of a type share one slot, since each is over in no time; left out: one. */
  readonly unitsPerSlot?: (type: string) => number
  /** The claims are of one job. */
  readonly start: (claims: readonly Claim[], commit: Commit) => void
}

/** A pool with what waits for it and what it runs. */
export class PoolState {
  readonly pool: Pool
  readonly index: ReadyIndex
  /** In slots. */
  readonly #runningByClient = new Map<string, number>()
  /** In slots; a unit that shares one counts as a power of a half, so that sums stay exact. */
  busy = 0
  /** Claimed units whose start waits for the commit. */
  starting = 0
  /** Units that ended in the commit that is being made. */
  ended = 0

  constructor(pool: Pool) {
    this.pool = pool
    this.index = new ReadyIndex({ runningOf: (client) => this.#runningByClient.get(client) ?? 0 })
  }

  get free(): number {
    return this.pool.slots - this.busy - this.ended
  }

  /** A slot that is shared is busy. */
  get slots(): { readonly total: number; readonly busy: number } {
    return { total: this.pool.slots, busy: Math.ceil(this.busy) }
  }

  /** @returns the part of a slot that a unit of a type takes now */
  shareOf(type: string): number {
    return 2 ** -Math.floor(Math.log2(Math.max(1, this.pool.unitsPerSlot?.(type) ?? 1)))
  }

  count(client: string, by: number): void {
    this.busy += by
    const running = (this.#runningByClient.get(client) ?? 0) + by
    if (running > 0) this.#runningByClient.set(client, running)
    else this.#runningByClient.delete(client)
  }
}
