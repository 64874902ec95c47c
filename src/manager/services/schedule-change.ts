import { QueueError } from '../../domain/errors.ts'
import type { JsonObject } from '../../domain/job.ts'
import type { Schedule } from '../../domain/ports/schedule-store.ts'
import type { ScheduleTiming } from '../../domain/schedule-times.ts'
import type { OperationCall } from '../../domain/wire/operations.ts'
import { localTimeZone } from '../../platform/local-time-zone.ts'
import { checkCron, checkTimeZone, dueTimes } from '../runtime/cron-times.ts'

type Request = OperationCall<'schedule_job'>

/** The schedule is read by every manager at its start, whole. */
const largestSubmissionBytes = 1024 * 1024

/**
 * What a request makes of a schedule; what the request leaves out stays.
 * @param before the schedule of that name, if there is one
 * @param id for a new one
 * @throws QueueError invalid_input naming the bad value, limit_exceeded
 */
export function changedSchedule(before: Schedule | undefined, request: Request, id: string, now: number): Schedule {
  const timing = changedTiming(before, request, now)
  const enabled = request.enabled ?? before?.enabled ?? true
  const missedPolicy = request.missed ?? before?.missedPolicy ?? 'once'
  return {
    id: before?.id ?? id,
    name: request.name,
    ...timing,
    missedPolicy,
    // Caught up all at once, only the first of them would run.
    overlapPolicy: request.overlap ?? before?.overlapPolicy ?? (missedPolicy === 'all' ? 'queue' : 'skip'),
    submission: changedSubmission(before, request),
    enabled,
    nextRunAt: enabled ? nextRunAt(before, timing, now) : null,
    createdAt: before?.createdAt ?? now,
    updatedAt: now,
  }
}

/** What is due this moment stays due: only other times, or an end of a pause, begin from now. */
function nextRunAt(before: Schedule | undefined, timing: ScheduleTiming, now: number): number | null {
  const isSame =
    before !== undefined &&
    before.cron === timing.cron &&
    before.everyMs === timing.everyMs &&
    before.anchorAt === timing.anchorAt &&
    before.timeZone === timing.timeZone
  return isSame && before.enabled && before.nextRunAt !== null ? before.nextRunAt : dueTimes.next(timing, now)
}

function changedTiming(before: Schedule | undefined, request: Request, now: number): ScheduleTiming {
  if (request.cron !== undefined && request.every_s !== undefined) {
    throw new QueueError('invalid_input', 'cron and every_s were given together', {
      remedy: 'Give cron for times of the day, or every_s for an interval.',
    })
  }
  const cron = request.cron ?? (request.every_s === undefined ? (before?.cron ?? null) : null)
  const everyMs =
    request.every_s === undefined
      ? cron === null
        ? (before?.everyMs ?? null)
        : null
      : Math.round(request.every_s * 1000)
  if (cron === null && everyMs === null) {
    if (request.job === undefined) throw unknownSchedule(request.name)
    throw new QueueError('invalid_input', `no due times were given for the new schedule "${request.name}"`, {
      remedy: 'Give cron such as "0 6 * * *", or every_s such as 3600; list_schedules shows the names that exist.',
    })
  }
  const timeZone = request.time_zone ?? before?.timeZone ?? request.local_time_zone ?? localTimeZone()
  checkTimeZone(timeZone)
  if (cron !== null) {
    if (request.start_at !== undefined) {
      throw new QueueError('invalid_input', 'start_at was given for a schedule with cron', {
        remedy: 'Leave start_at out, or give every_s instead of cron.',
      })
    }
    checkCron(cron, timeZone, now)
  }
  return { cron, everyMs, anchorAt: anchorOf(before, everyMs, request.start_at, now), timeZone }
}

/** The same interval again keeps its grid: a script that repeats the call must not put the next run off. */
function anchorOf(
  before: Schedule | undefined,
  everyMs: number | null,
  startAt: string | undefined,
  now: number,
): number {
  if (startAt !== undefined) return Date.parse(startAt)
  return before !== undefined && before.everyMs === everyMs ? before.anchorAt : now
}

/** Nothing but a change was asked for. */
function unknownSchedule(name: string): QueueError {
  return new QueueError('invalid_input', `no schedule is named "${name}"`, {
    remedy: 'list_schedules shows the names that exist; a new one needs cron or every_s, and job.',
  })
}

function changedSubmission(before: Schedule | undefined, { name, job, context }: Request): JsonObject {
  if (job === undefined) {
    if (before !== undefined) return before.submission
    throw new QueueError('invalid_input', `job was not given for the new schedule "${name}"`, {
      remedy: 'Give job as submit_job takes it, such as {"params":{"argv":["make"],"cwd":"/home/you/project"}}.',
    })
  }
  const text = JSON.stringify({ ...job, context })
  const size = Buffer.byteLength(text)
  if (size <= largestSubmissionBytes) return JSON.parse(text) as JsonObject
  throw new QueueError('limit_exceeded', `job is ${size} bytes; a schedule keeps at most ${largestSubmissionBytes}`, {
    remedy: 'Give a source instead of a long list of units, and write large input to a file.',
  })
}
