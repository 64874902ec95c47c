/** What a thread takes at once should be over in this time. */
const chunkMs = 10
const most = 512
const first = 4
/** Weight of the newest chunk. */
const weight = 0.3

/** How many attempts of a reusable code a thread takes at once: as many as it has been finishing in a moment. */
export class ChunkSizes {
  readonly #means = new Map<string, number>()

  /** @param ms that `count` attempts took together */
  add(codeKey: string, count: number, ms: number): void {
    const mean = this.#means.get(codeKey)
    const newest = ms / Math.max(1, count)
    this.#means.set(codeKey, mean === undefined ? newest : mean + (newest - mean) * weight)
  }

  /** @param waiting attempts of all codes @param threads that could share them */
  next(codeKey: string, waiting: number, threads: number): number {
    const mean = this.#means.get(codeKey)
    const fitting = mean === undefined ? first : Math.floor(chunkMs / Math.max(mean, chunkMs / most))
    return Math.max(1, Math.min(fitting, Math.ceil(waiting / threads)))
  }
}
