import { updateRequest } from '../domain/wire/control.ts'
import { defineTool } from './define-tool.ts'

export const updateJob = defineTool({
  name: 'update_job',
  title: 'Change an unfinished job or a queue',
  description: `
Changes an unfinished job (id) or the limits of a queue (queue). Give one of the two and only what shall change; what runs already is not touched.

Job: name, priority, run_at (only before it started), concurrency, labels (merged; null removes one), depends_on (only before it started), close: true (no more units are added, so that the job can end). Queue: queue_concurrency and queue_rate_limit; null lifts the limit.

Not for parameters or commands: cancel_job and rerun_job with overrides. To stop or go on: pause_job, resume_job.

Answers: job or queue as it is now, next.`,
  example: { id: '01890a5d-ac96-774b-bcce-b302099a8057', priority: 'urgent', concurrency: 8 },
  input: updateRequest,
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  request: (input) => input,
})
