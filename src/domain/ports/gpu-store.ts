import type { ErrorRecord } from '../errors.ts'
import type { Fence } from '../job.ts'
import type { GpuPreference } from '../wire/gpu.ts'
import type { EndFacts, UnitEnd } from './job-store.ts'
import type { RemoteIdentity } from './remote-executor.ts'

/** What became of a unit's earlier attempts at GPU workers. */
export interface GpuHistory {
  /** Attempts that ended because their worker was restarted. */
  readonly restarts: number
  /** Null: it did not fall back. */
  readonly fallbackReason: ErrorRecord | null
}

/** Where a unit goes that a GPU worker gave back. */
export interface GpuReturn {
  /** `local` is for good. */
  readonly to: 'gpu' | 'local'
  readonly restarted: boolean
  /** Wall ms before which it is not claimed; left out: at once. */
  readonly availableAt?: number
}

/** A job with units that could run on a GPU worker now. */
export interface GpuWaiter {
  readonly jobId: string
  readonly seq: number
  readonly type: string
  readonly preference: GpuPreference
  /** Wall ms since which they have waited in vain; null: they have not. */
  readonly since: number | null
  /** Other units of it run on a worker. */
  readonly isServed: boolean
}

/** How units of a job ran last. */
export interface ModeCount {
  readonly mode: string
  readonly device: string | null
  readonly worker: string | null
  readonly fallbackReason: ErrorRecord | null
  readonly units: number
  readonly running: number
}

/** Where jobs, units and attempts stand with GPU workers; part of the JobStore. */
export interface GpuStore {
  /** Before anything is sent to the worker. @returns false when the fence does not match: nothing may be sent */
  recordRemoteIfHeld(fence: Fence, remote: RemoteIdentity): boolean
  /** @param mode null: as it is */
  recordDeviceIfHeld(fence: Fence, device: string, mode: string | null): boolean
  /**
   * A GPU worker did not bring the attempt to its end: it is released, and the unit goes to a worker again or, for good, to this
   * machine. Nothing counts as a failure. `facts.error` is what is shown as the reason.
   */
  returnUnitIfHeld(fence: Fence, where: GpuReturn, facts: EndFacts): UnitEnd | null
  /** By unit id; only of those that have one. */
  readGpuHistory(unitIds: readonly string[]): ReadonlyMap<string, GpuHistory>
  /** First those that may fall back, then those that must wait; each the oldest first. */
  readGpuWaiters(now: number, limit: number): readonly GpuWaiter[]
  /** The same of one job; null: none of its units could run on a GPU worker now. */
  readGpuWaiter(jobSeq: number, now: number): GpuWaiter | null
  /** Limit keys of its units that wait for a worker and are due (null: of those without one); perhaps not all at once. */
  readGpuLanes(jobSeq: number, now: number): readonly (string | null)[]
  /** @param since wall ms; null: it waits no more */
  setGpuWait(jobSeq: number, since: number | null): void
  /**
   * Units that wait for a GPU worker run on this machine from now on, at most `limit` of them.
   * @param reason null: it is no fallback, since there is no worker at all
   * @returns how many
   */
  placeUnitsHere(job: Pick<GpuWaiter, 'jobId' | 'seq'>, reason: ErrorRecord | null, limit: number, now: number): number
  /** At most 20, the most frequent first; the final step, which always runs here, is left out. Of jobs that never ask for a GPU: none. */
  readModes(jobId: string): readonly ModeCount[]
}
