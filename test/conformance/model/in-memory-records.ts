import type { Job, Json, JsonObject } from '../../../src/domain/job.ts'
import type {
  DeletedSlice,
  FinalJobRecord,
  HistoryStore,
  PruningRecord,
  Statistics,
} from '../../../src/domain/ports/history-store.ts'
import type { Schedule, ScheduleNews, ScheduleRun, ScheduleStore } from '../../../src/domain/ports/schedule-store.ts'
import type { CreateTaskOutcome, NewTask, Task, TaskName, TaskStore } from '../../../src/domain/ports/task-store.ts'
import type { JobState } from '../../../src/domain/states.ts'
import { InMemoryHistory } from './in-memory-history.ts'
import { InMemoryJobReads, type ModelDatabase } from './in-memory-job-reads.ts'
import { InMemorySchedules } from './in-memory-schedules.ts'
import { InMemoryTasks } from './in-memory-tasks.ts'

/** Schedules, tasks and history of the model, between its reads and its changes of jobs. */
export abstract class InMemoryRecords extends InMemoryJobReads implements HistoryStore, ScheduleStore, TaskStore {
  protected readonly history: InMemoryHistory
  readonly #schedules: InMemorySchedules
  readonly #tasks: InMemoryTasks

  constructor(now: () => number, database?: ModelDatabase) {
    super(database)
    const model = {
      state: () => this.state,
      now,
      change: <T>(work: () => T) => this.atomically(work),
      tell: (...event: Parameters<InMemoryRecords['tell']>) => this.tell(...event),
    }
    this.history = new InMemoryHistory(model)
    this.#schedules = new InMemorySchedules(model)
    this.#tasks = new InMemoryTasks(model)
  }

  abstract atomically<T>(work: () => T): T

  protected tell(type: string, jobId: string, unitId: string | null, data: JsonObject, createdAt: number): number {
    this.state.lastEventId += 1
    const id = this.state.lastEventId
    this.state.events.push({ id, type, jobId, unitId, data, createdAt })
    return id
  }

  readStatistics(now: number): Statistics {
    return this.history.readStatistics(now)
  }

  readStateCounts(): Record<JobState, number> {
    return this.history.readStateCounts()
  }

  readHeldJobs(limit: number): readonly Job[] {
    return this.history.readHeldJobs(limit)
  }

  readDurations(workHash: string): readonly number[] {
    return this.history.readDurations(workHash)
  }

  pruneDurations(before: number, afterHash: string, limit: number): string | null {
    return this.history.pruneDurations(before, afterHash, limit)
  }

  deleteJobSlice(jobId: string, limit: number): DeletedSlice | null {
    return this.history.deleteJobSlice(jobId, limit)
  }

  readLeavingJobs(limit: number): readonly string[] {
    return this.history.readLeavingJobs(limit)
  }

  readOldestFinalJobs(limit: number): readonly FinalJobRecord[] {
    return this.history.readOldestFinalJobs(limit)
  }

  oldestAcknowledged(): number | null {
    return this.history.oldestAcknowledged()
  }

  recordPruning(record: PruningRecord): void {
    this.history.recordPruning(record)
  }

  readPruning(limit: number): readonly PruningRecord[] {
    return this.history.readPruning(limit)
  }

  createTask(task: NewTask): CreateTaskOutcome {
    return this.#tasks.createTask(task)
  }

  readTask(name: TaskName): Task | null {
    return this.#tasks.readTask(name)
  }

  settleTaskIfOpen(name: TaskName, outcome: Json, now: number): boolean {
    return this.#tasks.settleTaskIfOpen(name, outcome, now)
  }

  cancelTaskIfOpen(name: TaskName, now: number): boolean {
    return this.#tasks.cancelTaskIfOpen(name, now)
  }

  saveSchedule(schedule: Schedule): void {
    this.#schedules.saveSchedule(schedule)
  }

  removeSchedule(scheduleId: string): boolean {
    return this.#schedules.removeSchedule(scheduleId)
  }

  readSchedules(): readonly Schedule[] {
    return this.#schedules.readSchedules()
  }

  advanceSchedule(scheduleId: string, from: number | null, to: number | null): boolean {
    return this.#schedules.advanceSchedule(scheduleId, from, to)
  }

  recordScheduleRun(run: ScheduleRun): boolean {
    return this.#schedules.recordScheduleRun(run)
  }

  readScheduleRuns(scheduleId: string, limit: number): readonly ScheduleRun[] {
    return this.#schedules.readScheduleRuns(scheduleId, limit)
  }

  readScheduleNews(afterEvent: number, limit: number): readonly ScheduleNews[] {
    return this.#schedules.readScheduleNews(afterEvent, limit)
  }
}
