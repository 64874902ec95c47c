import { rerunInput } from '../domain/wire/submit.ts'
import { defineTool } from './define-tool.ts'

export const rerunJob = defineTool({
  name: 'rerun_job',
  title: 'Run a job again',
  description: `
Runs a job again as a new job with the same type, parameters and units, linked to the first one (rerun_of). The first job stays as it is.

Use it after a failure or a cancel, or to repeat finished work. only: "failed" (or "cancelled", "not_completed" …) takes only the units that ended so; units takes those at given positions, as list_units shows them. overrides changes single settings of the new run, by the names of submit_job; overrides.params is merged over the old parameters key by key. For other work use submit_job. A job that still runs is not touched: cancel_job it first when it must not run twice.

Answers like submit_job: the id of the new job, its state and why, notes, next.`,
  example: {
    id: '01890a5d-ac96-774b-bcce-b302099a8057',
    only: 'failed',
    overrides: { timeout_s: 7200, params: { env: { RETRIES: '3' } } },
  },
  input: rerunInput,
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  request: async (input, caller) => ({
    ...input,
    idempotency_key: caller.idempotencyKey(input.idempotency_key),
    context: await caller.submitContext(),
  }),
})
