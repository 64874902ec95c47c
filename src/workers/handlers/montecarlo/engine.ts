import type { ComputedOn } from './params.ts'
import type { SumsTotal } from './sums.ts'

/** One way to compute paths. */
export interface Engine {
  readonly device: Pick<ComputedOn, 'name' | 'kind'>
  /** Of finding the device and compiling. */
  readonly setupSeconds: number
  readonly chunks: ChunkBounds
  /**
   * Computes some paths and adds their sums.
   * @throws Error when the device failed; then nothing was added
   */
  addPaths(first: number, count: number, total: SumsTotal): Promise<void>
  close(): void
}

export interface ChunkBounds {
  readonly first: number
  readonly least: number
  readonly most: number
}

/** A cancel is seen after such a time at the latest. */
const chunkMs = 120

/** @returns how many paths to compute at a time, after so many took so long */
export function nextChunk(paths: number, tookMs: number, { least, most }: ChunkBounds): number {
  const factor = Math.min(4, Math.max(0.25, chunkMs / Math.max(tookMs, 0.01)))
  return Math.min(most, Math.max(least, Math.round((paths * factor) / least) * least))
}
