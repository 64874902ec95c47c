import type { Command } from 'commander'
import { type CommandRunner, jsonCommand } from '../command-runner.ts'
import { jobTable } from '../display/job-table.ts'
import { addFilterOptions, type FilterOptions, filterOf } from '../job-filter.ts'
import { integerOption } from '../option-values.ts'
import type { Session } from '../session.ts'

interface Options extends FilterOptions {
  readonly limit?: string
  readonly cursor?: string
}

export function listCommand(runner: CommandRunner): Command {
  return addFilterOptions(jsonCommand('list', 'Find jobs, newest first').alias('ls'))
    .option('--limit <number>', 'how many, at most 100 (default 20)')
    .option('--cursor <text>', 'next_cursor of the page before, with the same filters')
    .action(runner.act(list))
}

async function list(session: Session, options: Options): Promise<number> {
  const { terminal } = session
  const answer = await session.client().call(
    'list_jobs',
    {
      ...filterOf(options, session.now()),
      ...(options.limit === undefined ? {} : { limit: integerOption('--limit', options.limit, 1) }),
      ...(options.cursor === undefined ? {} : { cursor: options.cursor }),
    },
    { signal: session.interrupted },
  )
  if (session.json) terminal.value(answer)
  else if (answer.jobs.length === 0) terminal.note('no jobs')
  else {
    terminal.line(jobTable(answer.jobs, terminal, session.now()))
    if (answer.next_cursor !== null) terminal.note(terminal.colors.dim(`more: add --cursor ${answer.next_cursor}`))
  }
  return 0
}
