import { formatDuration } from '../../domain/format-duration.ts'
import { formatInstant } from '../../domain/format-instant.ts'
import type { MissedPlan } from '../../domain/missed-runs.ts'
import type { Schedule, ScheduleRun } from '../../domain/ports/schedule-store.ts'
import type { PassedTimes } from '../../domain/schedule-times.ts'

/** Missed due times recorded one by one after an absence; the rest gets one row. The store keeps the newest 1,000 runs. */
export const mostRecorded = 200
/** Rows in one transaction, so that no call waits for it. */
const sliceRows = 50

interface MissedSlice {
  readonly rows: readonly ScheduleRun[]
  /** The due time that is next after them; null: none. */
  readonly next: number | null
}

/**
 * The records of missed due times, a transaction each.
 * @param after the due time that is next when nothing of the plan runs
 */
export function missedSlices(
  schedule: Schedule,
  passed: PassedTimes,
  plan: MissedPlan,
  now: number,
  after: number | null,
): readonly MissedSlice[] {
  const rows = missedRows(schedule, { ...passed, times: plan.missed }, now, (dueAt) => missedText(dueAt, now, plan.run))
  const rest = plan.run[0] ?? after
  const slices: MissedSlice[] = []
  for (let at = 0; at < rows.length; at += sliceRows) {
    slices.push({ rows: rows.slice(at, at + sliceRows), next: rows[at + sliceRows]?.dueAt ?? rest })
  }
  return slices
}

/** @returns a record for each of the newest due times, before them one that stands for all older ones. */
export function missedRows(
  schedule: Schedule,
  { times, omitted }: PassedTimes,
  now: number,
  textOf: (dueAt: number) => string,
): readonly ScheduleRun[] {
  const row = (dueAt: number, error: string): ScheduleRun => ({
    scheduleId: schedule.id,
    dueAt,
    outcome: 'missed',
    jobId: null,
    error,
    createdAt: now,
  })
  const rows = times.slice(-mostRecorded).map((dueAt) => row(dueAt, textOf(dueAt)))
  const unnamed = times.slice(0, -mostRecorded)
  const last = unnamed.at(-1) ?? omitted?.last
  if (last === undefined) return rows
  const first = omitted?.first ?? unnamed[0] ?? last
  const count = omitted === null ? unnamed.length : omitted.count === null ? null : omitted.count + unnamed.length
  return [row(last, summaryText(count, first, last)), ...rows]
}

function missedText(dueAt: number, now: number, run: readonly number[]): string {
  const instead =
    run.length === 0
      ? ''
      : run.length === 1
        ? '; one job runs for the latest due time'
        : `; jobs run for the latest ${run.length} due times`
  return `nothing could run until ${formatDuration(now - dueAt)} later${instead}`
}

function summaryText(count: number | null, first: number, last: number): string {
  const which = count === null ? 'all due times' : `${count} due times`
  return `stands for ${which} from ${formatInstant(first)} to ${formatInstant(last)}: nothing could run`
}
