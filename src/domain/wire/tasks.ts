import { z } from 'zod'
import { waitAnswer, waitRequest } from './jobs.ts'
import { eventCursor, jobId, timestamp } from './shared.ts'
import { submitAnswer } from './submit.ts'

/**
 * A task is a wait that outlives everybody: the handle that an MCP client keeps while jobs run. Whoever names it may see and cancel
 * it, so it is 128 random bits, and only its hash is stored.
 */
export const taskId = z.string().regex(/^[0-9a-f]{32}$/, 'is not a task id')

/** Whose task it is; nobody else finds it. `local` on stdio, else who the bearer of a token is. */
export const principal = z.string().min(1).max(300)

export const taskTools = ['submit_job', 'wait_for_jobs'] as const
export type TaskTool = (typeof taskTools)[number]

/** What of the answer of a submit is not the job itself. */
export const submittedFacts = submitAnswer.omit({ job: true, next: true })

export const createTaskRequest = z.strictObject({
  /** Made by the caller, so that the call may be repeated. */
  task_id: taskId,
  principal,
  tool: z.enum(taskTools).describe('Whose answer it gives; only a task of submit_job cancels its job'),
  ids: waitRequest.shape.ids,
  until: waitRequest.shape.until,
  cursor: eventCursor.optional().describe('For any_changed: changes after it count'),
  submitted: submittedFacts.optional().describe('With submit_job'),
})

export const taskRequest = z.strictObject({ task_id: taskId, principal })

export const decideTaskRequest = taskRequest.extend({
  decisions: z
    .record(z.string().max(200), z.enum(['approve', 'reject']))
    .describe('By key of the question; unknown and answered keys are ignored'),
})

export const taskStatuses = ['working', 'input_required', 'completed', 'cancelled'] as const

/** A question to a person, while a job of the task is held for review. */
export const taskQuestion = z.strictObject({
  key: z.string().describe('Never used again in the life of the task'),
  job_id: jobId,
})

export const taskView = z.strictObject({
  tool: z.enum(taskTools),
  ids: z.array(jobId),
  status: z.enum(taskStatuses),
  why: z.string().describe('One sentence for people'),
  created_at: timestamp,
  updated_at: timestamp,
  poll_interval_ms: z.int(),
  questions: z.array(taskQuestion).describe('Only with input_required'),
  submitted: submittedFacts.nullable(),
  outcome: waitAnswer.nullable().describe('Only of a completed task'),
})
export type TaskView = z.infer<typeof taskView>

export const cancelTaskAnswer = taskView.extend({
  cancelled_jobs: z.array(jobId).describe('Jobs that this call cancelled, or whose cancel it repeated'),
})
