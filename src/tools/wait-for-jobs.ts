import { type InputRequests, inputRequired } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { defaultWaitSeconds, type WaitAnswer, type WaitRequest, waitRequest } from '../domain/wire/jobs.ts'
import { approvalQuestion, awaitsReview, decisionIn, questionKey } from './approval.ts'
import { alwaysLoad, answerDeadlineMs, defineTool, type OngoingCall, readOnly } from './define-tool.ts'
import { fitJobs } from './fit-jobs.ts'
import { idsOf, singleId } from './job-ids.ts'
import { taskHandle } from './task-results.ts'
import { reportWhileWaiting } from './wait-progress.ts'

/** Leaves time to find or start the manager before the deadline of the answer. */
export const longestToolWaitSeconds = 40

export const waitForJobs = defineTool({
  name: 'wait_for_jobs',
  title: 'Wait for jobs',
  description: `
Waits until jobs have ended or changed and answers then; at the latest after timeout_s (${defaultWaitSeconds} by default, at most ${longestToolWaitSeconds}; a larger value counts as ${longestToolWaitSeconds}).

Use it after submit_job when you want to go on with the result. When satisfied is false the time ran out and nothing is wrong: the job goes on. Call again with the cursor of the answer, or stop waiting; ending this call never ends a job. For a job that takes hours do not wait: leave, and call whats_new later. A client that knows tasks may get one instead and is told when it ends: nothing is to be done then.

until: "all_ended" (default), "any_ended", or "any_changed" (state or progress).

Answers: satisfied, jobs as in job_status, missing, waited_s, cursor, next.`,
  example: { ids: ['01890a5d-ac96-774b-bcce-b302099a8057'], timeout_s: 25 },
  input: waitRequest.extend({
    ids: waitRequest.shape.ids.optional(),
    id: singleId,
    timeout_s: z
      .number()
      .min(0)
      .optional()
      .describe(`Seconds, at most ${longestToolWaitSeconds}; more counts as ${longestToolWaitSeconds}`),
  }),
  annotations: readOnly,
  meta: alwaysLoad,
  request: ({ id, ids, timeout_s = defaultWaitSeconds, ...input }) => ({
    ...input,
    ids: idsOf({ id, ids }),
    timeout_s: Math.min(timeout_s, longestToolWaitSeconds),
  }),
  async perform(input, on) {
    const request = within(await on.request(), on.deadline)
    const asked = on.call.inputResponses !== undefined
    if (asked) await decide(request.ids, on)
    const mayBecomeTask = on.call.takesTasks && input.timeout_s === undefined
    if (!mayBecomeTask) on.accompany(request)
    const answer = await on.ask('wait_for_jobs', mayBecomeTask ? { ...request, timeout_s: 0 } : request)
    const questions = asked || !on.call.canAsk ? null : questionsOf(answer)
    if (answer.satisfied || (mayBecomeTask && waitsForPerson(answer) && questions === null)) return on.finish(answer)
    if (mayBecomeTask) {
      const task_id = on.host.newTaskId()
      const { ids, until } = request
      const cursor = request.cursor ?? answer.cursor
      const { principal } = on.call
      const view = await on.ask('create_task', { task_id, principal, tool: 'wait_for_jobs', ids, until, cursor })
      return view.outcome === null ? taskHandle(task_id, view) : on.finish(view.outcome)
    }
    return questions === null ? on.finish(answer) : inputRequired({ inputRequests: questions })
  },
  accompany: (request, report, ask) =>
    reportWhileWaiting({
      totalSeconds: request.timeout_s ?? defaultWaitSeconds,
      look: async () => (await ask('job_status', { ids: request.ids })).jobs,
      report,
      now: () => performance.now(),
    }),
  fit: fitJobs,
})

/** @returns the request with no more time than its call has: that of an old client goes on after its user was asked. */
function within(request: WaitRequest, deadline: number): WaitRequest {
  const left = Math.ceil((deadline - performance.now() - answerDeadlineMs) / 1000) + longestToolWaitSeconds
  return { ...request, timeout_s: Math.max(0, Math.min(request.timeout_s ?? defaultWaitSeconds, left)) }
}

function waitsForPerson(answer: WaitAnswer): boolean {
  const unfinished = answer.jobs.filter((job) => !job.final)
  return unfinished.length > 0 && unfinished.every((job) => job.state === 'awaiting_approval')
}

/** @returns what the user has to decide before anything can go on; null when something else goes on, or nothing is asked. */
function questionsOf(answer: WaitAnswer): InputRequests | null {
  const held = answer.jobs.filter(awaitsReview)
  if (answer.satisfied || held.length === 0 || !waitsForPerson(answer)) return null
  return Object.fromEntries(held.map((job) => [questionKey(job.id), approvalQuestion(job)]))
}

/** Carries out what the user decided; what was declined or left out stays held. */
async function decide(ids: readonly string[], on: OngoingCall<'wait_for_jobs'>): Promise<void> {
  for (const id of ids) {
    const decision = decisionIn(on.call.inputResponses, questionKey(id))
    if (decision !== undefined) await on.ask('decide_job', { id, decision })
  }
}
