import type { Attempt, Job, Json, JsonObject, Unit } from '../job.ts'
import type { Statistics } from './history-store.ts'
import type { JobFilter } from './job-store.ts'

/** A unit with everything that an export tells of it. */
export interface UnitRecord {
  readonly unit: Unit
  readonly input: Json
  readonly output: Json | null
  readonly lastAttempt: Attempt | null
}

/**
 * Reads that may take long, on a read-only connection of their own, so that they delay no claim and no answer. They see what
 * was committed before the call. No read transaction outlives a call.
 */
export interface HistoryReader {
  /** As JobStore.listJobs. */
  listJobs(filter: JobFilter, page: { beforeSeq?: number; limit: number }): Promise<readonly Job[]>
  readParams(jobIds: readonly string[]): Promise<ReadonlyMap<string, JsonObject>>
  readUnitRecords(jobId: string, page: { afterPosition?: number; limit: number }): Promise<readonly UnitRecord[]>
  readStatistics(now: number): Promise<Statistics>
  /** Kept output, artifacts, results and checkpoints of the next `limit` units by their local order; `lastSeq` null: none follow. */
  readStoredBytes(
    afterUnitSeq: number,
    limit: number,
  ): Promise<{ readonly bytes: number; readonly lastSeq: number | null }>
  /** The same of some jobs together. */
  readJobBytes(jobIds: readonly string[]): Promise<number>
  /** @returns those of the ids that units have. */
  findUnits(unitIds: readonly string[]): Promise<readonly string[]>
  /** Waits for the call in progress; idempotent. */
  close(): Promise<void>
}
