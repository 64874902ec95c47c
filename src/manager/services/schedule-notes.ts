import { formatDuration } from '../../domain/format-duration.ts'
import { formatZonedTime } from '../../domain/format-zoned-time.ts'
import { mostCaughtUp } from '../../domain/missed-runs.ts'
import type { Schedule } from '../../domain/ports/schedule-store.ts'
import type { MissedPolicy, OverlapPolicy } from '../../domain/states.ts'
import { nextRuns } from './schedule-view.ts'

const missedWords: Readonly<Record<MissedPolicy, string>> = {
  once: 'one job runs for the latest of them, the others are recorded as missed (missed "once")',
  all: `a job runs for each, at most the latest ${mostCaughtUp}; older ones are recorded as missed (missed "all")`,
  skip: 'they are recorded as missed and not run (missed "skip")',
}

const overlapWords: Readonly<Record<OverlapPolicy, string>> = {
  skip: 'this one does not run, and that is recorded (overlap "skip")',
  queue: 'this one waits for its end (overlap "queue")',
  cancel: 'that one is cancelled and this one runs (overlap "cancel")',
}

/**
 * What a schedule will do, in sentences.
 * @param facts.dropped due times that the change left unrun
 */
export function scheduleNotes(
  schedule: Schedule,
  { dropped, now }: { readonly dropped: number; readonly now: number },
): string[] {
  return [
    ...timeNotes(schedule, now),
    ...(dropped === 0 ? [] : [`Due times that had not run before this change: ${dropped}, recorded as missed.`]),
    `Due times that pass while nothing can run (the queue stopped, the machine asleep or off): ${missedWords[schedule.missedPolicy]}.`,
    `While the job of an earlier due time has not ended: ${overlapWords[schedule.overlapPolicy]}.`,
    ...(schedule.missedPolicy === 'all' && schedule.overlapPolicy === 'skip'
      ? ['Of due times that are caught up together only the first runs, as overlap is "skip"; "queue" runs all.']
      : []),
    ...(schedule.enabled
      ? ['It fires without you and without a chat. After a reboot it goes on with the first call of any client.']
      : []),
  ]
}

function timeNotes(schedule: Schedule, now: number): string[] {
  if (!schedule.enabled) return ['It is paused: nothing fires until it is enabled again.']
  const times = nextRuns(schedule)
  if (times.length === 0) return ['It has no due time any more.']
  const shown = times.map((time) => formatZonedTime(time, schedule.timeZone)).join(', ')
  const first = times[0] ?? now
  const ahead = first > now ? `the first in ${formatDuration(first - now)}` : 'the first now'
  return [
    `Next: ${shown} (${schedule.timeZone}), ${ahead}.`,
    ...(schedule.everyMs === null
      ? []
      : [
          `Every ${formatDuration(schedule.everyMs)}, counted from ${formatZonedTime(schedule.anchorAt, schedule.timeZone)}: it does not drift.`,
        ]),
  ]
}
