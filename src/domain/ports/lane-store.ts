import type { RateLimit } from '../job.ts'

/** A queue (`key` is empty) or the units of one limit key in it. */
export interface Lane {
  readonly queue: string
  readonly key: string
}

export interface LaneHold extends Lane {
  readonly until: number
  readonly reason: string
}

export interface Queue {
  readonly name: string
  /** Null: no limit of its own. */
  readonly concurrency: number | null
  readonly rate: RateLimit | null
  readonly pausedAt: number | null
}

/** Queues and what holds their lanes; part of the JobStore. */
export interface LaneStore {
  /** Holds a lane until `until`, if that is later than what holds it now. */
  holdLane(hold: LaneHold, now: number): void
  /**
   * Ends the holds of a queue and of its keys; units that were told to slow down are due at once.
   * @returns how many holds, and how many units
   */
  endLaneHolds(queue: string, now: number): { readonly holds: number; readonly units: number }
  readLaneHolds(now: number): readonly LaneHold[]
  /** Counted starts of lanes with a rate limit since `since`, oldest first; older ones are deleted. */
  readLaneStarts(since: number): readonly (Lane & { readonly startedAt: number })[]
  /** Makes the queue if it is not there; what is left out stays, null removes a limit. */
  updateQueue(
    name: string,
    changes: { concurrency?: number | null; rate?: RateLimit | null; paused?: boolean },
    now: number,
  ): Queue
  readQueues(): readonly Queue[]
}
