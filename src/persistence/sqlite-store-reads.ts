import type { Attempt, Job, Json, Unit } from '../domain/job.ts'
import type { StoredArtifact } from '../domain/ports/artifact-store.ts'
import type { EventRecord, Watermark } from '../domain/ports/event-store.ts'
import type { GpuHistory, GpuWaiter, ModeCount } from '../domain/ports/gpu-store.ts'
import type { FinalJobRecord, PruningRecord, Statistics } from '../domain/ports/history-store.ts'
import type { Dependency, HeldUnit, JobFilter, JobPayload, RunnableJob, UnitFilter } from '../domain/ports/job-store.ts'
import type { LaneHold, Queue } from '../domain/ports/lane-store.ts'
import type { Checkpoint } from '../domain/ports/remote-executor.ts'
import type { Schedule, ScheduleNews, ScheduleRun } from '../domain/ports/schedule-store.ts'
import type { OpenSource } from '../domain/ports/source-store.ts'
import type { Task, TaskName } from '../domain/ports/task-store.ts'
import type { JobState } from '../domain/states.ts'
import { SqliteStoreConnection } from './sqlite-store-connection.ts'

/** The reading half of the JobStore. */
export abstract class SqliteStoreReads extends SqliteStoreConnection {
  readRunnableJobs(afterSeq: number, limit: number): readonly RunnableJob[] {
    return this.read((parts) => parts.runnable.readPage(afterSeq, limit))
  }

  findHeldUnits(filter: { workerId?: string; leaseExpiredBefore?: number; limit: number }): readonly HeldUnit[] {
    return this.read((parts) => parts.workers.findHeld(filter))
  }

  readJob(jobId: string): Job | null {
    return this.read((parts) => parts.jobs.read(jobId))
  }

  readJobs(jobIds: readonly string[]): readonly Job[] {
    return this.read((parts) => parts.jobs.readMany(jobIds))
  }

  readJobPayload(jobId: string): JobPayload | null {
    return this.read((parts) => parts.jobs.readPayload(jobId))
  }

  readIdempotencyKey(key: string): { readonly jobId: string; readonly contentHash: string } | null {
    return this.read((parts) => parts.submissions.readKey(key))
  }

  readUnit(unitId: string): Unit | null {
    return this.read((parts) => parts.jobs.readUnit(unitId))
  }

  readUnits(jobId: string, page: { afterPosition?: number; limit: number }, filter: UnitFilter = {}): readonly Unit[] {
    return this.read((parts) => parts.jobs.readUnits(jobId, page, filter))
  }

  readUnitInputs(unitIds: readonly string[]): ReadonlyMap<string, Json> {
    return this.read((parts) => parts.jobs.readUnitInputs(unitIds))
  }

  readUnitPayload(unitId: string): { readonly input: Json; readonly output: Json | null } | null {
    return this.read((parts) => parts.jobs.readUnitPayload(unitId))
  }

  readCheckpoints(unitIds: readonly string[]): ReadonlyMap<string, Checkpoint> {
    return this.read((parts) => parts.resumption.readCheckpoints(unitIds))
  }

  readGpuHistory(unitIds: readonly string[]): ReadonlyMap<string, GpuHistory> {
    return this.read((parts) => parts.gpu.readHistory(unitIds))
  }

  readGpuWaiters(now: number, limit: number): readonly GpuWaiter[] {
    return this.read((parts) => parts.gpu.readWaiters(now, limit))
  }

  readGpuWaiter(jobSeq: number, now: number): GpuWaiter | null {
    return this.read((parts) => parts.gpu.readWaiter(jobSeq, now))
  }

  readGpuLanes(jobSeq: number, now: number): readonly (string | null)[] {
    return this.read((parts) => parts.runnable.readGpuLanes(jobSeq, now))
  }

  readModes(jobId: string): readonly ModeCount[] {
    return this.read((parts) => parts.gpu.readModes(jobId))
  }

  wasLostLast(unitIds: readonly string[]): ReadonlySet<string> {
    return this.read((parts) => parts.resumption.wasLostLast(unitIds))
  }

  readArtifacts(jobId: string, options: { unitId?: string; limit: number }): readonly StoredArtifact[] {
    return this.read((parts) => parts.artifacts.read(jobId, options.unitId, options.limit))
  }

  readAttempts(unitId: string): readonly Attempt[] {
    return this.read((parts) => parts.jobs.readAttempts(unitId))
  }

  listJobs(filter: JobFilter, page: { beforeSeq?: number; limit: number }): readonly Job[] {
    return this.read((parts) => {
      // Jobs of the open transaction are found too.
      if (filter.text !== undefined && this.database.inTransaction) parts.search.flush()
      return parts.lists.list(filter, page)
    })
  }

  readFinishedJobs(afterEvent: number, limit: number): readonly { readonly job: Job; readonly eventId: number }[] {
    return this.read((parts) => parts.lists.readFinished(afterEvent, limit))
  }

  readWatermark(reader: string): Watermark {
    return this.read((parts) => parts.watermarks.read(reader))
  }

  readEvents(afterId: number, limit: number): readonly EventRecord[] {
    return this.read((parts) => parts.events.read(afterId, limit))
  }

  latestEventIdOfJobs(jobIds: readonly string[]): number {
    return this.read((parts) => parts.events.lastIdOfJobs(jobIds))
  }

  lastEventId(): number {
    return this.read((parts) => parts.events.lastId())
  }

  firstEventId(): number {
    return this.read((parts) => parts.events.firstId())
  }

  readStatistics(now: number): Statistics {
    return this.read((parts) => parts.statistics.read(now))
  }

  readStateCounts(): Readonly<Record<JobState, number>> {
    return this.read((parts) => parts.statistics.readStateCounts())
  }

  readHeldJobs(limit: number): readonly Job[] {
    return this.read((parts) => parts.history.readHeld(limit))
  }

  readDurations(workHash: string): readonly number[] {
    return this.read((parts) => parts.history.readDurations(workHash))
  }

  readLeavingJobs(limit: number): readonly string[] {
    return this.read((parts) => parts.history.readLeaving(limit))
  }

  readOldestFinalJobs(limit: number): readonly FinalJobRecord[] {
    return this.read((parts) => parts.history.readOldestFinal(limit))
  }

  oldestAcknowledged(): number | null {
    return this.read((parts) => parts.history.oldestAcknowledged())
  }

  readPruning(limit: number): readonly PruningRecord[] {
    return this.read((parts) => parts.history.readPruning(limit))
  }

  readSchedules(): readonly Schedule[] {
    return this.read((parts) => parts.schedules.readAll())
  }

  readScheduleRuns(scheduleId: string, limit: number): readonly ScheduleRun[] {
    return this.read((parts) => parts.schedules.readRuns(scheduleId, limit))
  }

  readScheduleNews(afterEvent: number, limit: number): readonly ScheduleNews[] {
    return this.read((parts) => parts.schedules.readNews(afterEvent, limit))
  }

  readTask(name: TaskName): Task | null {
    return this.read((parts) => parts.tasks.read(name))
  }

  readDependencies(jobId: string): readonly Dependency[] {
    return this.read((parts) => parts.dependencies.read(jobId))
  }

  readReruns(jobId: string, limit: number): readonly Job[] {
    return this.read((parts) => parts.jobs.readReruns(jobId, limit))
  }

  readOpenSources(limit: number): readonly OpenSource[] {
    return this.read((parts) => parts.sources.readOpen(limit))
  }

  readCancellingJobs(limit: number): readonly string[] {
    return this.read((parts) => parts.cancellations.readCancelling(limit))
  }

  readUnfedSources(jobId: string): readonly OpenSource[] {
    return this.read((parts) => parts.sources.readUnfed(jobId))
  }

  readSpoolFiles(): readonly string[] {
    return this.read((parts) => parts.sources.readSpoolFiles())
  }

  readSourceTotals(jobId: string): { readonly waiting: number; readonly skipped: number } {
    return this.read((parts) => parts.sources.readTotals(jobId))
  }

  readLaneHolds(now: number): readonly LaneHold[] {
    return this.read((parts) => parts.lanes.readHolds(now))
  }

  readQueues(): readonly Queue[] {
    return this.read((parts) => parts.lanes.readQueues())
  }

  readJobElapsed(jobId: string): number {
    return this.read((parts) => parts.clocks.read(jobId))
  }
}
