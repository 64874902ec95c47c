import type { Fence } from '../job.ts'
import type { Checkpoint } from './remote-executor.ts'

/** What the next attempt of a unit takes over from those before; part of the JobStore. */
export interface ResumeStore {
  /** Keeps where to go on from until the unit completes; a newer one replaces it. @returns false when the fence does not match */
  recordCheckpointIfHeld(fence: Fence, checkpoint: Checkpoint): boolean
  /** By unit id; only of those that have one. */
  readCheckpoints(unitIds: readonly string[]): ReadonlyMap<string, Checkpoint>
  /** Those whose newest attempt that ran and ended was lost; attempts that were given back unharmed say nothing. */
  wasLostLast(unitIds: readonly string[]): ReadonlySet<string>
}
