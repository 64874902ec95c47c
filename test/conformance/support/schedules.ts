import type { Schedule, ScheduleRun } from '../../../src/domain/ports/schedule-store.ts'
import { start } from './jobs.ts'

export const hour = 3_600_000

/** An hourly schedule, due at the start; its id is `schedule-<name>`. */
export function newSchedule(name: string, changes: Partial<Schedule> = {}): Schedule {
  return {
    id: `schedule-${name}`,
    name,
    cron: null,
    everyMs: hour,
    anchorAt: start,
    timeZone: 'Europe/Berlin',
    missedPolicy: 'once',
    overlapPolicy: 'skip',
    submission: { params: { argv: ['true'] } },
    enabled: true,
    nextRunAt: start,
    createdAt: start,
    updatedAt: start,
    ...changes,
  }
}

export function newRun(name: string, dueAt: number, changes: Partial<ScheduleRun> = {}): ScheduleRun {
  return {
    scheduleId: `schedule-${name}`,
    dueAt,
    outcome: 'submitted',
    jobId: null,
    error: null,
    createdAt: dueAt + 5,
    ...changes,
  }
}
