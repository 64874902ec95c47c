import { QueueError } from '../../domain/errors.ts'
import type { Schedule } from '../../domain/ports/schedule-store.ts'
import type { OperationCall } from '../../domain/wire/operations.ts'
import type { ScheduleAnswer } from '../../domain/wire/schedules.ts'
import { dueTimes } from '../runtime/cron-times.ts'
import { missedRows, mostRecorded } from '../runtime/missed-records.ts'
import { prepareUnits, type UnitsRequest } from './job-units.ts'
import { missingDirectory } from './missing-directory.ts'
import { prepareSubmission } from './prepare-submission.ts'
import { changedSchedule } from './schedule-change.ts'
import { scheduleNotes } from './schedule-notes.ts'
import { scheduleView } from './schedule-view.ts'
import type { ServiceContext } from './service-context.ts'
import { discardSource } from './source-spool.ts'

type Request = OperationCall<'schedule_job'>

/** More belong into one job with many units. */
const mostSchedules = 1_000
const shownRuns = 5

/**
 * Makes a schedule, or changes the one of that name. The job is checked as a submit checks it, so that no night begins with a
 * typing error.
 * @throws QueueError invalid_input, unknown_job_type, limit_exceeded, storage_full
 */
export async function scheduleJob(context: ServiceContext, request: Request): Promise<ScheduleAnswer> {
  const { store, commits, clock, createId, scheduler } = context
  context.storage.assertAcceptsJobs()
  // Before the job is looked at: a bad expression is the likelier mistake, and checking a source takes time.
  changedSchedule(scheduleNamed(context, request.name), request, createId(), clock.now())
  const jobNotes = await checkJob(context, request)
  const { schedule, existing, dropped } = await commits.run((commit) => {
    const now = clock.now()
    const before = scheduleNamed(context, request.name)
    if (before === undefined && store.readSchedules().length >= mostSchedules) {
      throw new QueueError('limit_exceeded', `there are ${mostSchedules} schedules already`, {
        remedy: 'Remove some with remove_schedule, or let one job do the work of several.',
      })
    }
    const changed = changedSchedule(before, request, createId(), now)
    store.saveSchedule(changed)
    commit.afterCommit(() => scheduler.wake())
    return {
      schedule: changed,
      existing: before !== undefined,
      dropped: before === undefined ? 0 : recordDropped(context, before, changed, now),
    }
  })
  const name = JSON.stringify(schedule.name)
  return {
    schedule: scheduleView(context, schedule, shownRuns),
    existing,
    notes: [...scheduleNotes(schedule, { dropped, now: clock.now() }), ...jobNotes],
    next: schedule.enabled
      ? `list_schedules {"name":${name}} shows its runs; schedule_job {"name":${name},"enabled":false} pauses it; remove_schedule {"name":${name}} ends it.`
      : `schedule_job {"name":${name},"enabled":true} lets it fire again.`,
  }
}

function scheduleNamed({ store }: ServiceContext, name: string): Schedule | undefined {
  return store.readSchedules().find((schedule) => schedule.name === name)
}

/** Due times that had come but were not handled before the change: they are not run, and that is said. */
function recordDropped({ store }: ServiceContext, before: Schedule, changed: Schedule, now: number): number {
  if (!before.enabled || before.nextRunAt === null || before.nextRunAt > now) return 0
  if (changed.nextRunAt === before.nextRunAt) return 0
  const passed = dueTimes.passed(before, before.nextRunAt, now, mostRecorded)
  const rows = missedRows(before, passed, now, () => 'the schedule was changed before it ran')
  return rows.filter((row) => store.recordScheduleRun(row)).length
}

/**
 * @returns what is to be told of the job
 * @throws QueueError when it could not be submitted
 */
async function checkJob(context: ServiceContext, { job, context: submitter }: Request): Promise<readonly string[]> {
  if (job === undefined) return []
  const notes: string[] = []
  const submission = { ...job, idempotency_key: 'schedule', context: submitter }
  const given = job.params['cwd'] ?? submitter.cwd
  const cwd = typeof given === 'string' && !given.includes('{{') ? given : null
  try {
    const prepared = await prepareSubmission(context, submission)
    discardSource(context, prepared.source)
  } catch (error) {
    const reason = await sourceProblem(context, submission, cwd)
    if (reason === null) throw error
    // A source is read when the schedule fires; it may well be empty or missing now. All the rest must be right.
    const { source: _source, ...rest } = submission
    await prepareSubmission(context, { ...rest, keep_open: true })
    notes.push(`Its source gives nothing now: ${reason}. It is read each time the schedule fires.`)
  }
  const missing = cwd === null ? null : await missingDirectory(cwd)
  if (missing !== null) notes.push(`Its directory ${missing} does not exist now.`)
  return notes
}

/** @returns why the source alone cannot be enumerated now; null: it can, or there is none. */
async function sourceProblem(
  context: ServiceContext,
  submission: UnitsRequest,
  cwd: string | null,
): Promise<string | null> {
  if (submission.source === undefined || submission.units !== undefined) return null
  try {
    const { source } = await prepareUnits(context, submission, cwd)
    discardSource(context, source)
    return null
  } catch (error) {
    if (error instanceof QueueError) return error.message
    throw error
  }
}
