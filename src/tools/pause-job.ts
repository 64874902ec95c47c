import { pauseRequest } from '../domain/wire/control.ts'
import { defineTool } from './define-tool.ts'
import { singleId, withIds } from './job-ids.ts'

export const pauseJob = defineTool({
  name: 'pause_job',
  title: 'Pause jobs or a queue',
  description: `
Pauses jobs, by ids or all unfinished ones that match a filter (at most 100 a call), or a whole queue by its name. Nothing new of them starts until resume_job; what runs is allowed to finish (state "pausing"). A pause lasts over restarts and has no end of its own.

Use it when the user needs the machine for something else or wants to look before more runs. To stop work for good use cancel_job.

freeze: true suspends running commands where they are (SIGSTOP); they keep their memory and their slot, and their timeouts stand still.

Answers: for each job an outcome with why: paused, pausing, frozen, unchanged, already_final, cancelling, not_found, refused; queue (its state, when one was named); has_more; next. Repeating a pause is harmless.`,
  example: { ids: ['01890a5d-ac96-774b-bcce-b302099a8057'] },
  input: pauseRequest.extend({ id: singleId }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  request: withIds,
})
