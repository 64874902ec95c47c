import { submitInput } from '../domain/wire/submit.ts'
import { alwaysLoad, defineTool } from './define-tool.ts'

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

A failure is not retried unless max_attempts says so; rate_limited says how the command tells that it must slow down. depends_on waits for other jobs. Give idempotency_key when you may have to repeat this call.

Answers: id (keep it and tell it to the user), existing (the key was used before), job, notes on what will happen, next. Then wait_for_jobs, or leave: whats_new tells how it went.`,
  example: {
    params: { argv: ['ffmpeg', '-i', '{{unit.path}}', '{{unit.stem}}.mp4'], cwd: '/home/ada/films' },
    source: { kind: 'glob', pattern: '*.mov' },
    name: 'Films to mp4',
    test_first: 2,
    max_failed_units: 5,
    idempotency_key: 'films-2031-05-04',
  },
  input: submitInput,
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  meta: alwaysLoad,
  request: async (input, caller) => ({
    ...input,
    idempotency_key: caller.idempotencyKey(input.idempotency_key),
    context: await caller.submitContext(),
  }),
})
