import type { JsonObject } from '../job.ts'
import type { MissedPolicy, OverlapPolicy, ScheduleRunOutcome } from '../states.ts'

export interface Schedule {
  readonly id: string
  readonly name: string
  /** Either a cron expression or an interval. */
  readonly cron: string | null
  readonly everyMs: number | null
  /** The interval counts from here. */
  readonly anchorAt: number
  readonly timeZone: string
  readonly missedPolicy: MissedPolicy
  readonly overlapPolicy: OverlapPolicy
  /** The job to submit, as the submit request is written. */
  readonly submission: JsonObject
  readonly enabled: boolean
  readonly nextRunAt: number | null
  readonly createdAt: number
  readonly updatedAt: number
}

export interface ScheduleRun {
  readonly scheduleId: string
  readonly dueAt: number
  readonly outcome: ScheduleRunOutcome
  readonly jobId: string | null
  readonly error: string | null
  readonly createdAt: number
}

export interface ScheduleNews {
  readonly run: ScheduleRun
  readonly scheduleName: string
  readonly eventId: number
}

/** Schedules and what became of their due times; part of the JobStore. */
export interface ScheduleStore {
  saveSchedule(schedule: Schedule): void
  /** @returns false when there is none. Its runs go with it, its jobs stay. */
  removeSchedule(scheduleId: string): boolean
  readSchedules(): readonly Schedule[]
  /** Moves the next due time, if the schedule is still as it was read. */
  advanceSchedule(scheduleId: string, from: number | null, to: number | null): boolean
  /** @returns false when that due time was recorded before, or the schedule is gone: nothing fires twice. */
  recordScheduleRun(run: ScheduleRun): boolean
  /** Newest first. */
  readScheduleRuns(scheduleId: string, limit: number): readonly ScheduleRun[]
  /** Due times that did not become a job, by events after `afterEvent`, oldest first. */
  readScheduleNews(afterEvent: number, limit: number): readonly ScheduleNews[]
}
