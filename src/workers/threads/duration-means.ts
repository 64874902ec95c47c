/** Weight of the newest duration. */
const newestWeight = 0.1
/** Fewer say nothing. */
const leastSamples = 8
/** Longer attempts have a slot each. */
const shortMs = 5
/** What one slot takes at once should be over in this time, so that a stop or a limit does not come late. */
const slotMs = 20
const mostUnits = 256

interface Mean {
  revision: string
  ms: number
  samples: number
}

/** How long the attempts of each reusable type have taken of late. */
export class DurationMeans {
  readonly #means = new Map<string, Mean>()

  /** @param revision of its code: another one starts anew */
  add(type: string, revision: string, ms: number): void {
    const mean = this.#means.get(type)
    if (mean === undefined || mean.revision !== revision) this.#means.set(type, { revision, ms, samples: 1 })
    else {
      mean.ms += (ms - mean.ms) * newestWeight
      mean.samples += 1
    }
  }

  /** @returns so many units of a type as fit into a short time; 1 for long ones and for what is not known yet */
  unitsPerSlot(type: string): number {
    const mean = this.#means.get(type)
    if (mean === undefined || mean.samples < leastSamples || mean.ms >= shortMs) return 1
    return Math.max(1, Math.min(mostUnits, Math.floor(slotMs / Math.max(mean.ms, 0.001))))
  }
}
