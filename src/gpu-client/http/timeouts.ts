/** All in ms. */
export interface WorkerTimeouts {
  readonly connectMs: number
  readonly headersMs: number
  /** Between two pieces of an answer. */
  readonly bodyMs: number
  /** One request and its answer as a whole; files get more by their size. */
  readonly totalMs: number
}

export const defaultTimeouts: WorkerTimeouts = {
  connectMs: 3_000,
  headersMs: 10_000,
  bodyMs: 30_000,
  totalMs: 45_000,
}

/** A connection slower than this is as good as broken. */
const slowestBytesPerSecond = 128 * 1024

/** @returns the longest time in ms that a file of so many bytes may take */
export function fileDeadlineMs(timeouts: WorkerTimeouts, bytes: number): number {
  return timeouts.totalMs + Math.ceil((bytes / slowestBytesPerSecond) * 1_000)
}
