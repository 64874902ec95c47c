import { whatsNewRequest } from '../domain/wire/jobs.ts'
import { alwaysLoad, defineTool } from './define-tool.ts'

export const whatsNew = defineTool({
  name: 'whats_new',
  title: 'What happened since the last look',
  description: `
Tells what happened to jobs since the last look: finished, failed, cancelled, waiting for the user, still unfinished; and runs of schedules that were missed. Jobs of earlier chats are among them.

Call it first in a new chat, and whenever the user asks how the work went without naming a job. To search the past use list_jobs; for one known id job_status.

What was shown comes again (shown_before: true) until it is acknowledged: once you have told the user, call again with acknowledge: the cursor of that answer.

Answers: needs_you (held for approval: tell the user first, then decide_job), failed, finished, cancelled, unfinished (each with id, name, state, why, at, eta_s), missed_runs (schedule, due_at, why), counts, more, cursor, next.`,
  example: {},
  input: whatsNewRequest,
  // It keeps a mark of what was shown, so it is not quite read-only; it destroys nothing.
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  meta: alwaysLoad,
  request: (input) => input,
})
