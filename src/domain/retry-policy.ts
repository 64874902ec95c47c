/** Backoff of a job's failed units, lengths in ms. */
export interface Backoff {
  readonly initialMs: number
  readonly maxMs: number
  readonly factor: number
}

export const defaultBackoff: Backoff = { initialMs: 1_000, maxMs: 300_000, factor: 2 }

/** Attempts that vanished before a unit is failed as `poison` (promise P8). */
export const poisonLimit = 3

/**
 * Exponential backoff with full jitter: a uniform share of the capped exponential, at least 1 ms.
 * Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 * @param failures failures so far, this one included (>= 1)
 * @param random a number in [0, 1)
 * @returns milliseconds to wait
 */
export function retryDelay(backoff: Backoff, failures: number, random: number): number {
  const ceiling = Math.min(backoff.maxMs, backoff.initialMs * backoff.factor ** (failures - 1))
  return Math.max(1, Math.floor(random * ceiling))
}
