import { queueStatusRequest } from '../domain/wire/jobs.ts'
import { defineTool, readOnly } from './define-tool.ts'
import { fitAnswer } from './fit-answer.ts'

const shownRunning = 20

export const queueStatus = defineTool({
  name: 'queue_status',
  title: 'State of the queue',
  description: `
Tells how everything is: the manager process, free and busy slots, queues with their limits and pauses, schedules, counts of jobs by state, the last 24 hours, what runs now, what was pruned, storage and warnings.

Use it when jobs do not start, when the user asks how busy the machine is, or when something about the queue seems wrong. For single jobs use job_status or list_jobs; limits of a queue are changed by update_job, its pause by pause_job and resume_job.

Answers: manager, slots, queues, schedules, jobs, last_24h, running, pruned, storage, warnings, next.`,
  example: {},
  input: queueStatusRequest,
  annotations: readOnly,
  request: (input) => input,
  fit: (answer) =>
    fitAnswer(
      answer,
      [(current) => ({ ...current, running: current.running.slice(0, shownRunning) })],
      `Only ${shownRunning} of ${answer.running.length} running jobs are shown; list_jobs with states ["running"] shows all.`,
    ),
})
