import { resumeRequest } from '../domain/wire/control.ts'
import { defineTool } from './define-tool.ts'
import { singleId, withIds } from './job-ids.ts'

export const resumeJob = defineTool({
  name: 'resume_job',
  title: 'Resume jobs or a queue',
  description: `
Lets paused or frozen jobs go on, by ids or all unfinished ones that match a filter (at most 100 a call), or a queue by its name: a paused one, or one that was told to slow down, whose hold (and those of its keys) is lifted.

Use it after pause_job. Not for a job that waits for approval: that is decide_job. Not for a job that ended: that is rerun_job. A job in a paused queue goes on only when the queue is resumed.

Answers: for each job an outcome with why: resumed, unchanged, already_final, cancelling, not_found, refused; queue; has_more; next. Repeating it is harmless.`,
  example: { ids: ['01890a5d-ac96-774b-bcce-b302099a8057'] },
  input: resumeRequest.extend({ id: singleId }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: true },
  request: withIds,
})
