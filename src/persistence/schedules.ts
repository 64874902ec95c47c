import type { Statement } from 'better-sqlite3'
import type { JsonObject } from '../domain/job.ts'
import type { Schedule, ScheduleNews, ScheduleRun } from '../domain/ports/schedule-store.ts'
import type { MissedPolicy, OverlapPolicy, ScheduleRunOutcome } from '../domain/states.ts'
import type { EventStore } from './event-store.ts'
import type { Binds, Prepare } from './statement-loader.ts'

/** Runs of one schedule that are kept: what people look back at, and more than a late claim could repeat. */
const keptRuns = 1_000

interface ScheduleRow {
  id: string
  name: string
  cron: string | null
  every_ms: number | null
  anchor_at: number
  time_zone: string
  missed_policy: MissedPolicy
  overlap_policy: OverlapPolicy
  submission: string
  enabled: number
  next_run_at: number | null
  created_at: number
  updated_at: number
}

interface RunRow {
  schedule_id: string
  due_at: number
  outcome: ScheduleRunOutcome
  job_id: string | null
  error: string | null
  event_id: number
  created_at: number
}

/** Schedules and what became of their due times. */
export class Schedules {
  readonly #events: EventStore
  readonly #save: Statement<[Binds]>
  readonly #remove: Statement<[Binds]>
  readonly #readAll: Statement<[Binds], ScheduleRow>
  readonly #advance: Statement<[Binds]>
  readonly #record: Statement<[Binds]>
  readonly #nameEvent: Statement<[Binds]>
  readonly #pruneRuns: Statement<[Binds]>
  readonly #readRuns: Statement<[Binds], RunRow>
  readonly #readNews: Statement<[Binds], RunRow & { schedule_name: string }>

  constructor(prepare: Prepare, events: EventStore) {
    this.#events = events
    this.#save = prepare('save_schedule')
    this.#remove = prepare('remove_schedule')
    this.#readAll = prepare<ScheduleRow>('read_schedules')
    this.#advance = prepare('advance_schedule')
    this.#record = prepare('record_schedule_run')
    this.#nameEvent = prepare('name_event_of_schedule_run')
    this.#pruneRuns = prepare('prune_schedule_runs')
    this.#readRuns = prepare<RunRow>('read_schedule_runs')
    this.#readNews = prepare<RunRow & { schedule_name: string }>('read_schedule_news')
  }

  save(schedule: Schedule): void {
    this.#save.run({
      id: schedule.id,
      name: schedule.name,
      cron: schedule.cron,
      every_ms: schedule.everyMs,
      anchor_at: schedule.anchorAt,
      time_zone: schedule.timeZone,
      missed_policy: schedule.missedPolicy,
      overlap_policy: schedule.overlapPolicy,
      submission: JSON.stringify(schedule.submission),
      enabled: schedule.enabled ? 1 : 0,
      next_run_at: schedule.nextRunAt,
      created_at: schedule.createdAt,
      updated_at: schedule.updatedAt,
    })
  }

  remove(scheduleId: string): boolean {
    return this.#remove.run({ schedule_id: scheduleId }).changes > 0
  }

  readAll(): Schedule[] {
    return this.#readAll.all({}).map((row) => toSchedule(row))
  }

  advance(scheduleId: string, from: number | null, to: number | null): boolean {
    return this.#advance.run({ schedule_id: scheduleId, from_at: from, to_at: to }).changes === 1
  }

  recordRun(run: ScheduleRun): boolean {
    const recorded = this.#record.run({
      schedule_id: run.scheduleId,
      due_at: run.dueAt,
      outcome: run.outcome,
      job_id: run.jobId,
      error: run.error,
      now: run.createdAt,
    })
    if (recorded.changes === 0) return false
    const data = { schedule_id: run.scheduleId, due_at: run.dueAt, error: run.error }
    const eventId = this.#events.append(`schedule.${run.outcome}`, run.jobId ?? '', null, data, run.createdAt)
    this.#nameEvent.run({ schedule_id: run.scheduleId, due_at: run.dueAt, event_id: eventId })
    this.#pruneRuns.run({ schedule_id: run.scheduleId, keep: keptRuns })
    return true
  }

  readRuns(scheduleId: string, limit: number): ScheduleRun[] {
    return this.#readRuns.all({ schedule_id: scheduleId, limit }).map((row) => toRun(row))
  }

  readNews(afterEvent: number, limit: number): ScheduleNews[] {
    return this.#readNews
      .all({ after_event: afterEvent, limit })
      .map((row) => ({ run: toRun(row), scheduleName: row.schedule_name, eventId: row.event_id }))
  }
}

function toSchedule(row: ScheduleRow): Schedule {
  return {
    id: row.id,
    name: row.name,
    cron: row.cron,
    everyMs: row.every_ms,
    anchorAt: row.anchor_at,
    timeZone: row.time_zone,
    missedPolicy: row.missed_policy,
    overlapPolicy: row.overlap_policy,
    submission: JSON.parse(row.submission) as JsonObject,
    enabled: row.enabled === 1,
    nextRunAt: row.next_run_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

function toRun(row: RunRow): ScheduleRun {
  return {
    scheduleId: row.schedule_id,
    dueAt: row.due_at,
    outcome: row.outcome,
    jobId: row.job_id,
    error: row.error,
    createdAt: row.created_at,
  }
}
