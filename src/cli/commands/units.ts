import type { Command } from 'commander'
import { listUnitsRequest } from '../../domain/wire/units.ts'
import { type CommandRunner, jsonCommand } from '../command-runner.ts'
import { unitLines } from '../display/unit-table.ts'
import { typedJobId } from '../job-ids.ts'
import { invalidOptions } from '../job-input.ts'
import { integerOption, repeated } from '../option-values.ts'
import type { Session } from '../session.ts'

interface Options {
  readonly state?: readonly string[]
  readonly key?: readonly string[]
  readonly limit?: string
  readonly cursor?: string
  readonly full?: boolean
}

export function unitsCommand(runner: CommandRunner): Command {
  return jsonCommand('units', 'List the units of a job: their state, input, error and result')
    .argument('<id>', 'job id, its end, or "last"; "self" in a command of the job')
    .option('--state <name>', 'available, running, completed, failed or cancelled; repeatable', repeated)
    .option('--key <text>', 'only units with this unit key; repeatable', repeated)
    .option('--limit <number>', 'how many, at most 200 (default 20)')
    .option('--cursor <text>', 'next_cursor of the page before')
    .option('--full', 'with every attempt')
    .action(runner.act(units))
}

async function units(session: Session, options: Options, typed: string): Promise<number> {
  const { terminal } = session
  const candidate = {
    id: await typedJobId(session, typed),
    ...(options.state === undefined ? {} : { states: options.state }),
    ...(options.key === undefined ? {} : { keys: options.key }),
    ...(options.limit === undefined ? {} : { limit: integerOption('--limit', options.limit, 1) }),
    ...(options.cursor === undefined ? {} : { cursor: options.cursor }),
    ...(options.full === true ? { detail: 'full' } : {}),
  }
  const parsed = listUnitsRequest.safeParse(candidate)
  if (!parsed.success) throw invalidOptions(parsed.error, listUnitsRequest, candidate)
  const answer = await session.client().call('list_units', parsed.data, { signal: session.interrupted })
  if (session.json) terminal.value(answer)
  else {
    for (const line of unitLines(answer, terminal)) terminal.line(line)
    if (answer.next_cursor !== null) terminal.note(terminal.colors.dim(`more: add --cursor ${answer.next_cursor}`))
  }
  return 0
}
