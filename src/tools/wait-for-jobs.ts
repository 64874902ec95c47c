import { z } from 'zod'
import { defaultWaitSeconds, waitRequest } from '../domain/wire/jobs.ts'
import { alwaysLoad, defineTool, readOnly } from './define-tool.ts'
import { fitJobs } from './fit-jobs.ts'
import { idsOf, singleId } from './job-ids.ts'
import { reportWhileWaiting } from './wait-progress.ts'

/** Leaves time to find or start the manager before the deadline of the answer. */
export const longestToolWaitSeconds = 40

export const waitForJobs = defineTool({
  name: 'wait_for_jobs',
  title: 'Wait for jobs',
  description: `
Waits until jobs have ended or changed and answers then; at the latest after timeout_s (${defaultWaitSeconds} by default, at most ${longestToolWaitSeconds}; a larger value counts as ${longestToolWaitSeconds}).

Use it after submit_job when you want to go on with the result. When satisfied is false the time ran out and nothing is wrong: the job goes on. Call again with the cursor of the answer, or stop waiting; ending this call never ends a job. For a job that takes hours do not wait: leave, and call whats_new later.

until: "all_ended" (default), "any_ended", or "any_changed" (state or progress).

Answers: satisfied, jobs as in job_status, missing, waited_s, cursor, next.`,
  example: { ids: ['01890a5d-ac96-774b-bcce-b302099a8057'], timeout_s: 25 },
  input: waitRequest.extend({
    ids: waitRequest.shape.ids.optional(),
    id: singleId,
    timeout_s: z
      .number()
      .min(0)
      .default(defaultWaitSeconds)
      .describe(`Seconds, at most ${longestToolWaitSeconds}; more counts as ${longestToolWaitSeconds}`),
  }),
  annotations: readOnly,
  meta: alwaysLoad,
  request: ({ id, ids, ...input }) => ({
    ...input,
    ids: idsOf({ id, ids }),
    timeout_s: Math.min(input.timeout_s, longestToolWaitSeconds),
  }),
  accompany: (request, report, ask) =>
    reportWhileWaiting({
      totalSeconds: request.timeout_s ?? defaultWaitSeconds,
      look: async () => (await ask('job_status', { ids: request.ids })).jobs,
      report,
      now: () => performance.now(),
    }),
  fit: fitJobs,
})
