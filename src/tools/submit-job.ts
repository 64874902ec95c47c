import { submitInput } from '../domain/wire/submit.ts'
import { alwaysLoad, defineTool } from './define-tool.ts'

export const submitJob = defineTool({
  name: 'submit_job',
  title: 'Submit a job',
  description: `
Starts a command (or another job type) in the background and answers at once with the job's id. The job is stored durably: it goes on when this chat, the app or the connection ends, and it survives a crash of the queue itself.

Use it for everything that takes longer than a few seconds or must not be lost: builds, test suites, downloads, conversions, trainings, batch scripts. Not for interactive programs, and not to look at a job: that is job_status. To run an old job again use rerun_job.

Parameters of type "command" (the default), inside params:
- argv: program and arguments as a list; no shell, so no quoting, pipes, globs or &&.
- shell: true with script: a shell script instead of argv.
- cwd: absolute working directory; give it always. env, stdin, success_exit_codes (default [0]).
The command shows its progress by printing lines such as "progress: 0.4 compiling"; percentages of common tools are recognised.

A command that fails is not retried unless max_attempts says so. Give idempotency_key when you may have to repeat this call: the same key and content is always the same job, never a second one.

Answers: id (keep it and tell it to the user), existing (the key was used before), job with state and why, notes on what will happen, next. Afterwards call wait_for_jobs, or leave: whats_new in a later chat tells how it went.`,
  example: {
    params: { argv: ['npm', 'test'], cwd: '/home/ada/project' },
    name: 'Tests of project',
    timeout_s: 3600,
    idempotency_key: 'tests-2031-05-04-1',
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
