import { z } from 'zod'
import { type PriorityName, priorities } from '../states.ts'
import { jobFilter } from './jobs.ts'
import { conciseJobView, jobId, next, queueName, queueView, rateLimit, timestamp } from './shared.ts'
import { dependencies } from './submit.ts'

const ids = z.array(jobId).min(1).max(50)

/** One way to name what is meant: ids, a filter over unfinished jobs, or a queue. */
const chosenJobs = {
  ids: ids.optional(),
  filter: jobFilter.optional().describe('Every unfinished job that matches, at most 100 a call'),
  queue: queueName.optional().describe('The queue itself: nothing of it starts while it is paused'),
}

export const pauseRequest = z.strictObject({
  ...chosenJobs,
  freeze: z
    .boolean()
    .default(false)
    .describe('True: what runs is suspended where it is (SIGSTOP) and keeps its slot; false: it is allowed to finish'),
})
export const resumeRequest = z.strictObject(chosenJobs)
export const pauseAnswer = z.strictObject({
  jobs: z.array(
    z.strictObject({
      id: jobId,
      outcome: z.enum([
        'paused',
        'pausing',
        'frozen',
        'resumed',
        'unchanged',
        'already_final',
        'cancelling',
        'not_found',
        'refused',
      ]),
      why: z.string(),
    }),
  ),
  queue: queueView.nullable(),
  has_more: z.boolean(),
  next,
})
export type PauseAnswer = z.infer<typeof pauseAnswer>

export const decideRequest = z.strictObject({
  id: jobId,
  decision: z.enum(['approve', 'reject']),
})
export const decideAnswer = z.strictObject({ job: conciseJobView, next })
export type DecideAnswer = z.infer<typeof decideAnswer>

export const updateRequest = z.strictObject({
  id: jobId.optional().describe('An unfinished job'),
  name: z.string().min(1).max(200).optional(),
  priority: z.enum(Object.keys(priorities) as [PriorityName, ...PriorityName[]]).optional(),
  run_at: timestamp.optional(),
  concurrency: z.int().min(1).max(10_000).nullable().optional().describe('Units of the job at once; null: no limit'),
  labels: z
    .record(z.string().min(1).max(64), z.string().max(256).nullable())
    .optional()
    .describe('Merged; null removes a label'),
  depends_on: dependencies.optional().describe('Further jobs to wait for; only before it has started'),
  close: z.literal(true).optional().describe('No unit will be added any more'),
  queue: queueName.optional().describe('Instead of id: a queue, made if it is not there'),
  queue_concurrency: z
    .int()
    .min(1)
    .max(10_000)
    .nullable()
    .optional()
    .describe('Units of the queue at once; null: no limit'),
  queue_rate_limit: rateLimit.nullable().optional().describe('Starts in any interval; null: no limit'),
})
export const updateAnswer = z.strictObject({
  job: conciseJobView.nullable(),
  queue: queueView.nullable(),
  next,
})
export type UpdateAnswer = z.infer<typeof updateAnswer>
