import { listRequest } from '../domain/wire/jobs.ts'
import { askForWhatFits } from './ask-for-what-fits.ts'
import { boardView } from './board-view.ts'
import { defineTool, readOnly } from './define-tool.ts'

export const listJobs = defineTool({
  name: 'list_jobs',
  title: 'Find jobs',
  description: `
Finds jobs, newest first, one short row each, 20 by default.

Use it to find an id that is lost or to look over the past. To learn what happened since the last chat use whats_new; for details of a known id use job_status.

Filters, all optional and combined: states (also "unfinished" and "finished"), type, queue, labels, created_after and created_before (ISO 8601 with a zone, such as 2031-05-04T22:00:00Z or 2031-05-04T22:00:00+02:00), text (words in name, type, labels, parameters or error).

Answers: jobs (id, name, type, state, why, progress, times), has_more, next_cursor, next. For the next page repeat the same filters with cursor: next_cursor.`,
  example: { states: ['failed'], text: 'backup', limit: 10 },
  input: listRequest,
  annotations: readOnly,
  meta: boardView,
  request: (input) => input,
  perform: (_input, on) => askForWhatFits(on, 'list_jobs', 'limit', 1),
})
