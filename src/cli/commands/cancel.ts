import type { Command } from 'commander'
import { errorKinds, QueueError } from '../../domain/errors.ts'
import { chosenJobs, forEveryJob, nameJobs } from '../choose-jobs.ts'
import { type CommandRunner, jsonCommand } from '../command-runner.ts'
import { outcomeExitCode, outcomeTable } from '../display/outcome-table.ts'
import { addFilterOptions, type FilterOptions } from '../job-filter.ts'
import type { Session } from '../session.ts'
import { watchJobs } from '../watch-jobs.ts'

interface Options extends FilterOptions {
  readonly all?: boolean
  readonly yes?: boolean
  readonly wait?: boolean
}

export function cancelCommand(runner: CommandRunner): Command {
  const command = jsonCommand('cancel', 'Cancel jobs by id, or every unfinished job that fits a filter')
    .argument('[ids...]', 'job ids, their ends, or "last"')
    .option('--all', 'every unfinished job')
    .option('--yes', 'needed with a filter or --all: do it without being asked')
    .option('--wait', 'until every process of the jobs is gone')
  return addFilterOptions(command)
    .addHelpText(
      'after',
      `\nExit code ${errorKinds.invalid_transition.exitCode} when a named job had ended before; nothing was changed.\n`,
    )
    .action(runner.act(cancel))
}

async function cancel(session: Session, options: Options, typed: readonly string[]): Promise<number> {
  const { terminal } = session
  const chosen = await chosenJobs(session, options, typed, { states: ['unfinished'] })
  if (chosen === null) throw new QueueError('invalid_input', 'no job was named', { remedy: nameJobs })
  if (chosen.by === 'filter' && options.yes !== true) {
    throw new QueueError('invalid_input', 'cancelling by filter needs --yes', {
      remedy: 'Look first: nightkiln list --state unfinished with the same filter; then add --yes.',
    })
  }
  const client = session.client()
  const answer = await forEveryJob(chosen, (some) => client.call('cancel_job', some, { signal: session.interrupted }))
  const stopping = answer.jobs.filter((job) => job.outcome === 'cancelling').map((job) => job.id)
  if (!session.json) {
    if (answer.jobs.length === 0) terminal.note('no unfinished job fits')
    else terminal.line(outcomeTable(answer.jobs, terminal))
  }
  if (options.wait === true) {
    for (let start = 0; start < stopping.length; start += 50) {
      await watchJobs(session, client, { ids: stopping.slice(start, start + 50), until: 'all_ended' })
    }
  }
  if (session.json) terminal.value(answer)
  return outcomeExitCode(answer.jobs)
}
