import { deleteRequest } from '../domain/wire/history.ts'
import { defineTool } from './define-tool.ts'
import { singleId, withIds } from './job-ids.ts'

export const deleteJobs = defineTool({
  name: 'delete_jobs',
  title: 'Delete finished jobs',
  description: `
Deletes finished jobs for good, by ids or all that match a filter: their records, results, outputs and files. Unfinished jobs are never deleted.

Use it only when the user asks for it. With a filter call it first with dry_run: true, tell the user how many jobs would go, and delete after a yes. Old jobs are pruned by themselves; export_jobs keeps a copy.

Answers: deleted (with dry_run: how many would be), ids (the first 50), kept (with why), freed_bytes, dry_run, has_more (true: call again), next. Repeating it is harmless.`,
  example: { filter: { states: ['completed'], created_before: '2031-05-04T00:00:00Z' }, dry_run: true },
  input: deleteRequest.extend({ id: singleId }),
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  request: withIds,
})
