import type { Command } from 'commander'
import { QueueError } from '../../domain/errors.ts'
import { addUnitsRequest, mostListedUnits } from '../../domain/wire/units.ts'
import { type CommandRunner, jsonCommand } from '../command-runner.ts'
import { counted } from '../display/quantities.ts'
import { typedJobId } from '../job-ids.ts'
import { invalidOptions } from '../job-input.ts'
import type { Session } from '../session.ts'
import { addUnitOptions, type UnitOptions, unitsOf } from '../unit-options.ts'

interface Options extends UnitOptions {
  readonly close?: boolean
}

export function addUnitsCommand(runner: CommandRunner): Command {
  const command = jsonCommand('add-units', 'Add units to an unfinished job, while it runs')
    .argument('<id>', 'job id, its end, or "last"; "self" in a command of the job')
    .option('--close', 'no more units come afterwards, so that an open job can end')
  return addUnitOptions(command)
    .addHelpText(
      'after',
      `
In a command of a job "self" is that job: a crawl appends what it found with
  nightkiln add-units self --unit https://example.org/next
With --unit-key at the submit a unit that the job has already is skipped.
`,
    )
    .action(runner.act(addUnits))
}

async function addUnits(session: Session, options: Options, typed: string): Promise<number> {
  const given = unitsOf(options, session.cwd)
  if (given.units === undefined && given.source === undefined && options.close !== true) {
    throw new QueueError('invalid_input', 'no unit was given', {
      remedy: 'Give --unit, --lines or another source; --close alone says that no more come.',
    })
  }
  const id = await typedJobId(session, typed)
  const client = session.client()
  const batches = batchesOf(given.units ?? [])
  let total = 0
  for (const [index, units] of batches.entries()) {
    const isLast = index === batches.length - 1
    const candidate = {
      id,
      ...(units.length === 0 ? {} : { units }),
      ...(given.source === undefined ? {} : { source: given.source }),
      close: isLast && options.close === true,
    }
    const parsed = addUnitsRequest.safeParse(candidate)
    if (!parsed.success) throw invalidOptions(parsed.error, addUnitsRequest, candidate)
    const answer = await client.call('add_units', parsed.data, { signal: session.interrupted })
    total += answer.given
    if (!isLast) continue
    if (session.json) session.terminal.value({ ...answer, given: total })
    else
      session.terminal.line(told(session, answer.job.counts?.total, total, given.source !== undefined, options.close))
  }
  return 0
}

/** One call takes so many units. */
function batchesOf(units: readonly unknown[]): (readonly unknown[])[] {
  const batches: (readonly unknown[])[] = []
  for (let start = 0; start < units.length; start += mostListedUnits)
    batches.push(units.slice(start, start + mostListedUnits))
  return batches.length === 0 ? [[]] : batches
}

function told(
  session: Session,
  now: number | undefined,
  given: number,
  fromSource: boolean,
  close: boolean | undefined,
): string {
  const parts = [
    ...(fromSource ? ['the source is being read'] : given > 0 ? [`${counted(given, 'unit')} given`] : []),
    ...(now === undefined ? [] : [`${counted(now, 'unit')} in the job`]),
    ...(close === true ? ['closed'] : []),
  ]
  return session.terminal.harmless(parts.join(', '))
}
