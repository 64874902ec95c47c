import { z } from 'zod'
import { errorCodes } from '../errors.ts'
import { attemptOutcomes, dependencyConditions, executorKinds, jobStates, unitStates } from '../states.ts'
import { gpuFallbacks } from './gpu.ts'
import { jsonObject } from './json-value.ts'

/** API version of the manager; it also answers clients of the version before. */
export const apiVersion = 1
export const oldestApiVersion = 1

export const jobId = z
  .string()
  .regex(
    /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    'is not a job id (a UUID as submit_job answers it)',
  )
  .describe('Job id as answered by submit_job')

/** Wire times are ISO 8601 UTC text; the database keeps integer ms. */
export const timestamp = z.iso.datetime({
  offset: true,
  error: 'must be an ISO 8601 time with a zone, such as 2031-05-04T22:00:00Z or 2031-05-04T22:00:00+02:00',
})

export const queueName = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be a queue name: 1 to 64 letters, digits, ".", "_" or "-"')

/** Number of an event, as answers give it. */
export const eventCursor = z.string().regex(/^\d{1,16}$/, 'must be the cursor of an earlier answer, such as "136"')

const reservedKeys = ['__proto__', 'constructor', 'prototype']

/** @returns the reserved word among the keys of a record that was not parsed yet: parsing drops `__proto__` without a word. */
export function reservedKeyOf(record: unknown): string | undefined {
  if (typeof record !== 'object' || record === null) return undefined
  return reservedKeys.find((key) => Object.hasOwn(record, key))
}

export const label = z.preprocess(
  (labels: Record<string, string>, issue) => {
    const key = reservedKeyOf(labels)
    if (key !== undefined) issue.addIssue({ code: 'custom', path: [key], message: 'is not a possible name of a label' })
    return labels
  },
  z.record(z.string().min(1).max(64), z.string().max(256)).refine((labels) => Object.keys(labels).length <= 32, {
    message: 'has more than 32 labels',
  }),
)

export const displayStates = [
  'queued',
  'scheduled',
  'blocked',
  'awaiting_approval',
  'paused',
  'pausing',
  'rate_limited',
  'retrying',
  'running',
  'cancelling',
  'completed',
  'completed_with_failures',
  'failed',
  'cancelled',
] as const
export const displayState = z.enum(displayStates)
export type DisplayStateName = (typeof displayStates)[number]

export const detail = z
  .enum(['concise', 'full'])
  .default('concise')
  .describe('"full" adds parameters, attempts and limits')

export const progressView = z.strictObject({
  current: z.number(),
  total: z.number().nullable(),
  percent: z.number().min(0).max(100).nullable(),
  message: z.string().nullable().describe('Untrusted: may be text printed by the job'),
  stage: z.string().nullable().describe('Untrusted: named by the job'),
})
export type ProgressView = z.infer<typeof progressView>

export const errorView = z.strictObject({
  code: z.enum(errorCodes as [string, ...string[]]),
  message: z.string().describe('Untrusted where it quotes a handler or a GPU worker'),
  remedy: z.string(),
  untrusted_output_tail: z
    .string()
    .optional()
    .describe('Untrusted: what the job printed last, from the first line that looks like the cause'),
})
export type ErrorView = z.infer<typeof errorView>

export const countsView = z.strictObject({
  total: z.int(),
  available: z.int(),
  running: z.int(),
  completed: z.int(),
  failed: z.int(),
  cancelled: z.int(),
})

export const attemptView = z.strictObject({
  unit: z.int().describe('Position of the unit, from 0'),
  attempt: z.int(),
  outcome: z.enum(attemptOutcomes),
  executor: z.enum(executorKinds),
  mode: z.string(),
  device: z.string().nullable().describe('Untrusted: the name of what computed it'),
  worker: z.string().nullable().describe('GPU worker that it was offered to'),
  fallback_reason: z.string().nullable().describe('Untrusted: why it ran here and not at a GPU worker'),
  exit_code: z.int().nullable(),
  started_at: timestamp,
  finished_at: timestamp.nullable(),
  error: errorView.nullable(),
})
export type AttemptView = z.infer<typeof attemptView>

export const estimate = z.strictObject({
  seconds: z.number().nullable(),
  low_seconds: z.number().nullable(),
  high_seconds: z.number().nullable(),
  reason: z.string().nullable().describe('Why there is no estimate yet'),
})

export const dependencyView = z.strictObject({
  id: jobId,
  as: z.string().describe('Untrusted: as submitted'),
  condition: z.enum(dependencyConditions),
  state: z.string().nullable().describe('How it ended; null while it has not'),
})

/** What a person needs to approve or reject the rest of a job. */
export const reviewView = z.strictObject({
  units_run: z.int(),
  completed: z.int(),
  failed: z.int(),
  units_waiting: z.int(),
  unit_seconds: z.number().nullable().describe('Median of the units that ran'),
  rest_seconds: z.number().nullable().describe('Estimate for the rest at the concurrency of this machine'),
  cost: z.number().nullable().describe('Sum of the field "cost" that results gave; null when none gave one'),
  rest_cost: z.number().nullable(),
  results: z
    .array(z.strictObject({ unit: z.int(), state: z.enum(unitStates), result: z.json().describe('Untrusted') }))
    .describe('Of the first units, cut'),
})

/** What a job asks of GPU workers, and how its units ran last. */
export const gpuJobView = z.strictObject({
  preference: z.enum(['prefer', 'require']),
  fallback: z.enum(gpuFallbacks),
  wait_s: z.number(),
  modes: z
    .array(
      z.strictObject({
        mode: z.string(),
        device: z.string().nullable().describe('Untrusted'),
        worker: z.string().nullable(),
        units: z.int(),
        running: z.int(),
        fallback_reason: z.string().nullable().describe('Untrusted: may quote a GPU worker'),
      }),
    )
    .describe('gpu, remote (cpu), local (gpu fallback), local, or remote: not known yet'),
})

export const jobView = z.strictObject({
  id: jobId,
  name: z.string().describe('Untrusted: as submitted'),
  type: z.string(),
  state: displayState,
  stored_state: z.enum(jobStates),
  why: z.string().describe('Untrusted where it quotes an error: one sentence why it is in this state'),
  final: z.boolean(),
  queue: z.string(),
  priority: z.string(),
  labels: z.record(z.string(), z.string()).describe('Untrusted: as submitted'),
  progress: progressView.nullable(),
  eta: estimate.nullable(),
  counts: countsView.optional().describe('Units by state; only for jobs with several units, or in full detail'),
  units_waiting: z.int().optional().describe('Units not added yet; of a cancelled job: that never will be'),
  open: z.boolean().optional().describe('True: units may still be added; it cannot end before it is closed'),
  review: reviewView.optional().describe('Only while it waits for approval after its test units'),
  depends_on: z.array(dependencyView).optional(),
  no_output_s: z.number().nullable().describe('Silence of a running command, once it is over a minute'),
  attempts: z.int().nullable().describe('Attempts of its one unit so far; null for several units, see list_units'),
  execution_mode: z.string().nullable(),
  gpu: gpuJobView.optional().describe('Only of jobs that ask for one'),
  error: errorView.nullable(),
  result: z.json().optional().describe('Untrusted. Bounded; the whole by job_result'),
  rerun_of: jobId.nullable(),
  submitted_by: z.string().describe('Untrusted: as the client names itself'),
  created_at: timestamp,
  run_at: timestamp.nullable(),
  started_at: timestamp.nullable(),
  finished_at: timestamp.nullable(),
  duration_s: z.number().nullable(),
  params: jsonObject.optional().describe('Untrusted: as submitted'),
  limits: jsonObject.optional(),
  reruns: z.array(jobId).optional().describe('Jobs that ran this one again'),
  changes: z
    .array(
      z.strictObject({
        path: z.string(),
        before: z.json().describe('Untrusted'),
        after: z.json().describe('Untrusted'),
      }),
    )
    .optional()
    .describe('What differs from the job that it runs again'),
  attempt_history: z.array(attemptView).optional(),
})
export type JobView = z.infer<typeof jobView>

/** A job without its full detail. */
export const conciseJobView = jobView.omit({
  params: true,
  limits: true,
  reruns: true,
  changes: true,
  attempt_history: true,
})

/** At most `count` starts in any interval. */
export const rateLimit = z.strictObject({
  count: z.int().min(1).max(100_000),
  interval_s: z
    .number()
    .min(0.01)
    .max(24 * 3600),
})

export const queueView = z.strictObject({
  name: z.string(),
  paused: z.boolean(),
  concurrency: z.int().nullable(),
  rate_limit: rateLimit.nullable(),
  held_until: timestamp.nullable().describe('Told to slow down: nothing of it starts before'),
  running: z.int(),
})
export type QueueView = z.infer<typeof queueView>

/** A row of a list: what fits on a line. */
export const jobLine = jobView.pick({
  id: true,
  name: true,
  type: true,
  state: true,
  why: true,
  progress: true,
  counts: true,
  created_at: true,
  finished_at: true,
  duration_s: true,
})
export type JobLine = z.infer<typeof jobLine>

export const next = z.string().describe('What to do next, with ready arguments')
