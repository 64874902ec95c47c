import type { Command } from 'commander'
import { type CommandRunner, jsonCommand } from '../command-runner.ts'
import { jobDetail } from '../display/job-detail.ts'
import { outcomeExitCodes, waitExitCode, waitsForPerson } from '../exit-codes.ts'
import { typedJobIds } from '../job-ids.ts'
import { durationOption } from '../option-values.ts'
import type { Session } from '../session.ts'
import { watchJobs } from '../watch-jobs.ts'

interface Options {
  readonly any?: boolean
  readonly timeout?: string
  readonly quiet?: boolean
}

const codes = Object.values(outcomeExitCodes)
  .map(({ code, meaning }) => `  ${String(code).padEnd(4)}${meaning}`)
  .join('\n')

export function waitCommand(runner: CommandRunner): Command {
  return jsonCommand('wait', 'Wait for jobs; the exit code tells how they ended')
    .argument('<ids...>', 'job ids, their ends, or "last"')
    .option('--any', 'until one of them ends (default: all)')
    .option('--timeout <length>', 'give up after this long, such as 10m or 90 (a bare number: seconds; default: never)')
    .option('--quiet', 'show nothing')
    .addHelpText('after', `\nExit codes (those of errors are in docs/errors.md):\n${codes}\n`)
    .action(runner.act(wait))
}

async function wait(session: Session, options: Options, typed: readonly string[]): Promise<number> {
  const { terminal } = session
  const timeoutMs = options.timeout === undefined ? undefined : durationOption('--timeout', options.timeout)
  const client = session.client()
  const ids = await typedJobIds(session, typed)
  const outcome = await watchJobs(session, client, {
    ids,
    until: options.any === true ? 'any_ended' : 'all_ended',
    timeoutMs,
    quiet: options.quiet === true,
  })
  if (session.json) terminal.value(outcome)
  else if (options.quiet !== true) {
    for (const job of outcome.jobs.filter((ended) => ended.stored_state === 'failed')) {
      for (const line of jobDetail(job, terminal, session.now())) terminal.line(line)
    }
    if (!outcome.satisfied && !waitsForPerson(outcome.jobs))
      terminal.note(`the time ran out; the jobs go on: nightkiln wait ${ids.join(' ')}`)
  }
  if (!session.json) for (const id of outcome.missing) terminal.problem(`no job has the id ${id}`)
  return waitExitCode(outcome)
}
