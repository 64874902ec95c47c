import { cancelRequest } from '../domain/wire/jobs.ts'
import { defineTool } from './define-tool.ts'
import { singleId, withIds } from './job-ids.ts'

export const cancelJob = defineTool({
  name: 'cancel_job',
  title: 'Cancel jobs',
  description: `
Cancels jobs, by ids or all unfinished ones that match a filter (at most 100 a call). What waits never starts; what runs is told to stop and is killed with all its processes after a short grace. This cannot be undone; rerun_job starts the work again, with only: "not_completed" only what did not finish.

Use it only when the user wants the work stopped. To stop it for a while use pause_job. Not to stop waiting: just do not call wait_for_jobs again.

Answers: for each job an outcome with why: cancelled, cancelling (its processes end within seconds; job_status shows it), already_final (it ended before; nothing changed), not_found; has_more; next. Repeating a cancel is harmless.`,
  example: { ids: ['01890a5d-ac96-774b-bcce-b302099a8057'] },
  input: cancelRequest.extend({ id: singleId }),
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  request: withIds,
})
