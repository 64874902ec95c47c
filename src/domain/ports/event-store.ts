import type { Job, JsonObject } from '../job.ts'

export interface EventRecord {
  /** Never reused: the cursor of the event stream. */
  readonly id: number
  readonly type: string
  readonly jobId: string
  readonly unitId: string | null
  readonly data: JsonObject
  readonly createdAt: number
}

export interface Watermark {
  /** Event id up to which this reader has acknowledged. */
  readonly acknowledged: number
  /** Event id up to which items were shown to this reader. */
  readonly shown: number
}

/** The outbox of events, and who has seen what of it; part of the JobStore. */
export interface EventStore {
  /** Jobs that became final by an event in (afterEvent, ∞), in that order, each with its event id. */
  readFinishedJobs(afterEvent: number, limit: number): readonly { readonly job: Job; readonly eventId: number }[]
  readWatermark(reader: string): Watermark
  /** Moves `shown` forward, never back. */
  recordShown(reader: string, eventId: number): void
  /** Moves `acknowledged` (and `shown`) forward, never back. */
  acknowledge(reader: string, eventId: number): Watermark

  readEvents(afterId: number, limit: number): readonly EventRecord[]
  /** The newest event id of any of these jobs; 0 when they have none (any more). */
  latestEventIdOfJobs(jobIds: readonly string[]): number
  /** 0 when there was never one. Ids grow for ever: also the high-water mark of the state's identity. */
  lastEventId(): number
  firstEventId(): number
  /** Keeps the newest `keep` events. @returns how many were deleted, at most `limit`. */
  pruneEvents(keep: number, limit: number): number
}
