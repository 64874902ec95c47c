import type { Schedule, ScheduleRun } from '../../domain/ports/schedule-store.ts'
import type { ScheduleView } from '../../domain/wire/schedules.ts'
import { submitRequest } from '../../domain/wire/submit.ts'
import { dueTimes } from '../runtime/cron-times.ts'
import { displayOf } from './job-view.ts'
import type { ServiceContext } from './service-context.ts'

const shownNext = 3
const nameOf = submitRequest.pick({ name: true })

/**
 * A schedule as it is shown.
 * @param history runs shown, newest first
 */
export function scheduleView(context: ServiceContext, schedule: Schedule, history: number): ScheduleView {
  const runs = context.store.readScheduleRuns(schedule.id, Math.max(1, history))
  const states = jobStates(context, runs)
  const views = runs.map((run) => ({
    due_at: toTimestamp(run.dueAt),
    outcome: run.outcome,
    job_id: run.jobId,
    job_state: run.jobId === null ? null : (states.get(run.jobId) ?? null),
    error: run.error,
  }))
  return {
    id: schedule.id,
    name: schedule.name,
    cron: schedule.cron,
    every_s: schedule.everyMs === null ? null : schedule.everyMs / 1000,
    time_zone: schedule.timeZone,
    missed: schedule.missedPolicy,
    overlap: schedule.overlapPolicy,
    enabled: schedule.enabled,
    job_name: nameOf.safeParse({ name: schedule.submission['name'] }).data?.name ?? schedule.name,
    next_runs: nextRuns(schedule).map(toTimestamp),
    last_run: views[0] ?? null,
    history: views.slice(0, history),
  }
}

/** @returns the next due times in wall ms, at most 3; none while it is paused */
export function nextRuns(schedule: Schedule): readonly number[] {
  const times: number[] = []
  let next = schedule.enabled ? schedule.nextRunAt : null
  while (next !== null && times.length < shownNext) {
    times.push(next)
    try {
      next = dueTimes.next(schedule, next)
    } catch {
      // A zone that this machine does not know any more: the run itself is refused with the reason.
      return times
    }
  }
  return times
}

/** Jobs that were deleted have none. */
function jobStates(context: ServiceContext, runs: readonly ScheduleRun[]): ReadonlyMap<string, string> {
  const ids = [...new Set(runs.flatMap((run) => run.jobId ?? []))]
  if (ids.length === 0) return new Map()
  return new Map(context.store.readJobs(ids).map((job) => [job.id, displayOf(context, job).state]))
}

function toTimestamp(ms: number): string {
  return new Date(ms).toISOString()
}
