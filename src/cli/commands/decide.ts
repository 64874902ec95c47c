import type { Command } from 'commander'
import { errorKinds } from '../../domain/errors.ts'
import { type CommandRunner, jsonCommand } from '../command-runner.ts'
import { typedJobId } from '../job-ids.ts'
import type { Session } from '../session.ts'

const atOtherTimes = `\nExit code ${errorKinds.invalid_transition.exitCode} when the job does not wait for approval; nothing was changed.\n`

export function approveCommand(runner: CommandRunner): Command {
  return jsonCommand('approve', 'Run the rest of a job that waits for approval after its test units')
    .argument('<id>', 'job id, its end, or "last"')
    .addHelpText('after', atOtherTimes)
    .action(runner.act((session, _options: object, typed: string) => decide(session, typed, 'approve')))
}

export function rejectCommand(runner: CommandRunner): Command {
  return jsonCommand('reject', 'Cancel the rest of a job that waits for approval; its results so far are kept')
    .argument('<id>', 'job id, its end, or "last"')
    .addHelpText('after', atOtherTimes)
    .action(runner.act((session, _options: object, typed: string) => decide(session, typed, 'reject')))
}

async function decide(session: Session, typed: string, decision: 'approve' | 'reject'): Promise<number> {
  const { terminal } = session
  const client = session.client()
  const id = await typedJobId(session, typed)
  const answer = await client.call('decide_job', { id, decision }, { signal: session.interrupted })
  if (session.json) terminal.value(answer)
  else {
    const done = decision === 'approve' ? terminal.colors.green('approved') : terminal.colors.yellow('rejected')
    terminal.line(
      `${done}  ${id}  ${terminal.harmless(answer.job.name)}  ${answer.job.state}: ${terminal.harmless(answer.job.why)}`,
    )
  }
  return 0
}
