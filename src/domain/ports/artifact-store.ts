import type { Fence } from '../job.ts'
import type { ArtifactFacts } from './attempt.ts'

/** A file of an attempt; unit, attempt and nonce name the attempt's directory. */
export interface StoredArtifact extends ArtifactFacts, Pick<Fence, 'unitId' | 'attempt' | 'nonce'> {
  /** Of the unit in its job. */
  readonly position: number
}

/** The files that attempts made; part of the JobStore. */
export interface ArtifactStore {
  /**
   * Adds files of a running attempt; a name that it had before is replaced.
   * @returns false when the fence does not match: nothing is kept
   */
  recordArtifactsIfHeld(fence: Fence, artifacts: readonly ArtifactFacts[]): boolean
  /**
   * Files of a job's units that completed or failed, by position, then name: those of the last attempt of each, and none of
   * attempts that were tried again.
   */
  readArtifacts(jobId: string, options: { readonly unitId?: string; readonly limit: number }): readonly StoredArtifact[]
}
