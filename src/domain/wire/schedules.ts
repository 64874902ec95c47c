import { z } from 'zod'
import { missedPolicies, overlapPolicies, scheduleRunOutcomes } from '../states.ts'
import { jobId, next, timestamp } from './shared.ts'
import { submitContext, submitInput } from './submit.ts'

export const scheduleName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$/, 'must be a name of 1 to 64 letters, digits, spaces, ".", "_" or "-"')

export const scheduleInput = z.strictObject({
  name: scheduleName.describe('Unique; the same name again changes that schedule, what is left out stays as it was'),
  cron: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('Five fields (minute hour day month weekday), or six with seconds first; also @daily and the like'),
  every_s: z
    .number()
    .min(1)
    .max(366 * 24 * 3600)
    .optional()
    .describe('Instead of cron: an interval, counted from start_at or now'),
  start_at: timestamp.optional().describe('First due time of every_s'),
  time_zone: z.string().max(64).optional().describe("IANA name such as Europe/Berlin; default: the caller's own"),
  missed: z
    .enum(missedPolicies)
    .optional()
    .describe(
      'Due times that passed while nothing could run: "once" (default) runs one job for all, "all" one each (at most 100), "skip" none',
    ),
  overlap: z
    .enum(overlapPolicies)
    .optional()
    .describe(
      'While the job of an earlier due time is unfinished: "skip" this one, "queue" it behind, or "cancel" the earlier; default skip, with missed "all" queue',
    ),
  enabled: z.boolean().optional().describe('False: kept, but it does not fire; default true'),
  job: submitInput
    .omit({ idempotency_key: true, run_at: true })
    .optional()
    .describe('The job, as submit_job takes it; needed for a new schedule'),
})

export const scheduleRequest = scheduleInput.extend({
  context: submitContext,
  /** Zone of the one who asks: a manager may have been started by anybody, under any TZ. */
  local_time_zone: z.string().max(64).optional(),
})

const scheduleRunView = z.strictObject({
  due_at: timestamp,
  outcome: z
    .enum(scheduleRunOutcomes)
    .describe('submitted, missed (not run), overlapped (not run), refused (with the error)'),
  job_id: jobId.nullable(),
  job_state: z.string().nullable(),
  error: z.string().nullable().describe('Untrusted where it quotes a handler'),
})
export const scheduleView = z.strictObject({
  id: z.string(),
  name: z.string(),
  cron: z.string().nullable(),
  every_s: z.number().nullable(),
  time_zone: z.string(),
  missed: z.enum(missedPolicies),
  overlap: z.enum(overlapPolicies),
  enabled: z.boolean(),
  job_name: z.string().describe('Untrusted: as submitted'),
  next_runs: z.array(timestamp).describe('The next due times, at most 3'),
  last_run: scheduleRunView.nullable(),
  history: z.array(scheduleRunView).describe('Newest first'),
})
export type ScheduleView = z.infer<typeof scheduleView>

export const scheduleAnswer = z.strictObject({
  schedule: scheduleView,
  existing: z.boolean().describe('True: a schedule of that name was changed'),
  notes: z.array(z.string()),
  next,
})
export type ScheduleAnswer = z.infer<typeof scheduleAnswer>

export const listSchedulesRequest = z.strictObject({
  name: scheduleName.optional(),
  history: z.int().min(0).max(100).default(5).describe('Runs shown of each'),
})
export const listSchedulesAnswer = z.strictObject({ schedules: z.array(scheduleView), next })
export type ListSchedulesAnswer = z.infer<typeof listSchedulesAnswer>

export const removeScheduleRequest = z.strictObject({ name: scheduleName })
export const removeScheduleAnswer = z.strictObject({ name: z.string(), removed: z.boolean(), next })
export type RemoveScheduleAnswer = z.infer<typeof removeScheduleAnswer>
