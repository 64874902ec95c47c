import { z } from 'zod'
import { QueueError } from '../domain/errors.ts'
import type { WaitAnswer } from '../domain/wire/jobs.ts'
import { type SubmitAnswer, submitInput } from '../domain/wire/submit.ts'
import { alwaysLoad, defineTool, type OngoingCall } from './define-tool.ts'
import { taskHandle, withOutcomeOf } from './task-results.ts'
import { reportWhileWaiting } from './wait-progress.ts'

/** Left of a call's time for the way back, ms. */
const answerReserveMs = 4_000

export const submitJob = defineTool({
  name: 'submit_job',
  title: 'Submit a job',
  description: `
Starts a command (or another job type) in the background and answers at once with the job's id. The job is stored durably: it goes on when this chat, the app or the connection ends, and it survives a crash of the queue itself.

Use it for everything that takes longer than a few seconds or must not be lost. Not to look at a job (job_status), nor to repeat one (rerun_job); at fixed times: schedule_job.

params of type "command" (the default):
- argv: program and arguments as a list; no shell, so no pipes, globs or &&. Or shell: true with script.
- cwd: absolute working directory; give it always. env, stdin.

Many inputs are one job, not many: units is a list of values, or source lets the manager read them (files by glob, lines, csv, json, sqlite, range), so that you need not list them. {{unit}} or {{unit.key}} in argv, env, cwd or stdin is the value. With units:
- test_first: 3 runs three, then waits for the user's approval (decide_job). Use it for costly or risky batches.
- max_failed_units: failures that are tolerated. concurrency, per_key: limits. final_step: a command over all results. keep_open: add_units will follow.

A failure is not retried unless max_attempts says so; rate_limited says how the command tells that it must slow down. depends_on waits for other jobs. Give idempotency_key when you may have to repeat this call. wait: true answers when the job has ended, or after 40 s with what is known then; a client that knows tasks gets one and is told.

Answers: id (keep it and tell it to the user), existing (the key was used before), job, notes on what will happen, next. Then wait_for_jobs, or leave: whats_new tells how it went.`,
  example: {
    params: { argv: ['ffmpeg', '-i', '{{unit.path}}', '{{unit.stem}}.mp4'], cwd: '/home/ada/films' },
    source: { kind: 'glob', pattern: '*.mov' },
    name: 'Films to mp4',
    test_first: 2,
    max_failed_units: 5,
    idempotency_key: 'films-2031-05-04',
  },
  input: submitInput.extend({
    wait: z.boolean().default(false).describe('True: answer when it has ended; a failure is an error then'),
  }),
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  meta: alwaysLoad,
  request: async ({ wait: _, ...input }, caller) => ({
    ...input,
    idempotency_key: caller.idempotencyKey(input.idempotency_key),
    context: await caller.submitContext(),
  }),
  async perform(input, on) {
    const submitted = await on.ask('submit_job', await on.request())
    if (!input.wait) return on.finish(submitted)
    if (submitted.job.final) return withOutcomeOf(submitted.job, on.finish(submitted))
    if (on.call.takesTasks) {
      const { job: _, next: __, ...facts } = submitted
      const task_id = on.host.newTaskId()
      const { principal } = on.call
      const view = await on.ask('create_task', {
        task_id,
        principal,
        tool: 'submit_job',
        ids: [submitted.id],
        submitted: facts,
      })
      if (view.outcome === null) return taskHandle(task_id, view)
    }
    const waited = await waitFor(submitted.id, on)
    return withOutcomeOf(waited.jobs[0], on.finish(submitAnswerAfter(submitted, waited)))
  },
})

/** Waits as long as the call may last, and tells how far the job is. */
async function waitFor(id: string, on: OngoingCall<'submit_job'>): Promise<WaitAnswer> {
  const totalSeconds = Math.max(0, on.deadline - performance.now() - answerReserveMs) / 1000
  const report = on.call.reportProgress
  const look = async () => (await on.ask('job_status', { ids: [id] })).jobs
  const endProgress =
    report === undefined ? undefined : reportWhileWaiting({ totalSeconds, look, report, now: () => performance.now() })
  try {
    return await on.ask('wait_for_jobs', { ids: [id], timeout_s: totalSeconds })
  } finally {
    endProgress?.()
  }
}

/** @returns the answer of a submit as it reads once its job was waited for. */
export function submitAnswerAfter(
  submitted: Omit<SubmitAnswer, 'job' | 'next'> & Partial<SubmitAnswer>,
  waited: WaitAnswer,
): SubmitAnswer {
  const job = waited.jobs[0] ?? submitted.job
  if (job === undefined)
    throw new QueueError('job_not_found', `job ${submitted.id} was deleted while it was waited for`)
  return { ...submitted, job, next: waited.next }
}
