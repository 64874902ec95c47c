import { formatDuration } from '../../domain/format-duration.ts'
import { formatZonedTime } from '../../domain/format-zoned-time.ts'
import type { ScheduleView } from '../../domain/wire/schedules.ts'
import { shortId } from './job-table.ts'
import { formatAge } from './quantities.ts'
import { stateColor } from './state-color.ts'
import { renderTable } from './table.ts'
import type { Colors, Terminal } from './terminal.ts'

type Run = ScheduleView['history'][number]

const wideEnoughForIds = 140

/** @returns schedules with their next and last run, times on the clocks of each one's zone */
export function scheduleTable(schedules: readonly ScheduleView[], terminal: Terminal, now: number): string {
  return renderTable<ScheduleView>(
    [
      { title: 'NAME', text: (schedule) => schedule.name, most: 32, shrink: { order: 3, least: 10 } },
      { title: 'WHEN', text: whenText, shrink: { order: 4, least: 9 } },
      { title: 'ZONE', text: (schedule) => schedule.time_zone, drop: 2 },
      {
        title: 'NEXT',
        text: (schedule) => nextText(schedule, now),
        paint: (schedule) => (schedule.enabled ? (text) => text : terminal.colors.dim),
        shrink: { order: 2, least: 16 },
      },
      {
        title: 'LAST',
        text: ({ last_run: last }) => (last === null ? '' : formatAge(last.due_at, now)),
        align: 'right',
        drop: 3,
      },
      {
        title: 'OUTCOME',
        text: ({ last_run: last }) => (last === null ? '' : outcomeText(last)),
        paint: ({ last_run: last }) => (last === null ? (text) => text : outcomeColor(terminal.colors, last)),
        shrink: { order: 1, least: 9 },
        drop: 4,
      },
      { title: 'JOB', text: (schedule) => schedule.job_name, most: 32, shrink: { order: 0, least: 8 }, drop: 1 },
    ],
    schedules,
    terminal,
  )
}

/** @returns what became of the due times of one schedule */
export function scheduleRunTable(schedule: ScheduleView, terminal: Terminal): string {
  const whole = !terminal.stdoutIsTerminal || terminal.columns >= wideEnoughForIds
  return renderTable<Run>(
    [
      { title: 'DUE', text: (run) => zoned(run.due_at, schedule.time_zone) },
      {
        title: 'OUTCOME',
        text: (run) => run.outcome,
        paint: (run) => outcomeColor(terminal.colors, run),
      },
      { title: 'JOB', text: (run) => (run.job_id === null ? '' : whole ? run.job_id : shortId(run.job_id)), drop: 2 },
      {
        title: 'STATE',
        text: (run) => run.job_state ?? (run.job_id === null ? '' : 'deleted'),
        paint: (run) => stateColor(terminal.colors, run.job_state ?? ''),
        drop: 3,
      },
      { title: 'WHY', text: (run) => run.error ?? '', shrink: { order: 1, least: 8 }, drop: 1 },
    ],
    schedule.history,
    terminal,
  )
}

function whenText({ cron, every_s: every }: ScheduleView): string {
  return cron ?? `every ${formatDuration((every ?? 0) * 1000)}`
}

function nextText({ enabled, next_runs: [next], time_zone: zone }: ScheduleView, now: number): string {
  if (!enabled) return 'paused'
  return next === undefined ? 'never' : `${zoned(next, zone)} (${formatAge(next, now)})`
}

/** The zone may be one that only the machine of the manager's version knows. */
function zoned(timestamp: string, timeZone: string): string {
  try {
    return formatZonedTime(Date.parse(timestamp), timeZone)
  } catch {
    return timestamp
  }
}

function outcomeText(run: Run): string {
  return run.outcome === 'submitted' ? (run.job_state ?? 'submitted') : run.outcome
}

function outcomeColor(colors: Colors, run: Run): (text: string) => string {
  if (run.outcome === 'submitted') return stateColor(colors, run.job_state ?? '')
  return run.outcome === 'refused' ? colors.red : colors.yellow
}
