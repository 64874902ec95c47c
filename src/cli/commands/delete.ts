import type { Command } from 'commander'
import { errorKinds, QueueError } from '../../domain/errors.ts'
import type { DeleteAnswer } from '../../domain/wire/history.ts'
import { type ChosenJobs, chosenJobs, nameJobs } from '../choose-jobs.ts'
import { type CommandRunner, jsonCommand } from '../command-runner.ts'
import { counted, formatBytes } from '../display/quantities.ts'
import { addFilterOptions, type FilterOptions } from '../job-filter.ts'
import type { Session } from '../session.ts'

interface Options extends FilterOptions {
  readonly all?: boolean
  readonly yes?: boolean
  readonly dryRun?: boolean
}

const mostIds = 50

export function deleteCommand(runner: CommandRunner): Command {
  const command = jsonCommand('delete', 'Delete finished jobs for good: records, results, outputs and files')
    .alias('rm')
    .argument('[ids...]', 'job ids, their ends, or "last"')
    .option('--all', 'every finished job')
    .option('--yes', 'needed with a filter or --all; without it is shown what would be deleted')
    .option('--dry-run', 'show what would be deleted, delete nothing')
  return addFilterOptions(command)
    .addHelpText(
      'after',
      `
Unfinished jobs are never deleted.
Exit code ${errorKinds.invalid_transition.exitCode} when a named job was kept.
`,
    )
    .action(runner.act(remove))
}

async function remove(session: Session, options: Options, typed: readonly string[]): Promise<number> {
  const chosen = await chosenJobs(session, options, typed, { states: ['finished'] })
  if (chosen === null) throw new QueueError('invalid_input', 'no job was named', { remedy: nameJobs })
  const unconfirmed = chosen.by === 'filter' && options.yes !== true
  const dryRun = options.dryRun === true || unconfirmed
  const answer = await deleteAll(session, chosen, dryRun)
  if (session.json) session.terminal.value(answer)
  else show(session, answer)
  // With nothing to delete there is nothing to confirm.
  if (unconfirmed && options.dryRun !== true && answer.deleted > 0) {
    throw new QueueError('invalid_input', 'deleting by filter needs --yes; nothing was deleted', {
      remedy: 'When this is what you mean, repeat it with --yes.',
    })
  }
  return chosen.by === 'ids' && answer.kept.length > 0 ? errorKinds.invalid_transition.exitCode : 0
}

/** One call takes 50 ids, or a part of what a filter finds. */
async function deleteAll(session: Session, chosen: ChosenJobs, dryRun: boolean): Promise<DeleteAnswer> {
  const call = (some: { ids: string[] } | { filter: Extract<ChosenJobs, { by: 'filter' }>['filter'] }) =>
    session.client().call('delete_jobs', { ...some, dry_run: dryRun }, { signal: session.interrupted })
  const answers: DeleteAnswer[] = []
  if (chosen.by === 'ids') {
    for (let start = 0; start < chosen.ids.length; start += mostIds)
      answers.push(await call({ ids: chosen.ids.slice(start, start + mostIds) }))
  } else {
    for (;;) {
      const answer = await call({ filter: chosen.filter })
      answers.push(answer)
      // A dry run finds the same again.
      if (!answer.has_more || dryRun || answer.deleted === 0) break
    }
  }
  const [first, ...others] = answers
  if (first === undefined) throw new QueueError('invalid_input', 'no job was named', { remedy: nameJobs })
  return others.reduce(
    (sum, answer) => ({
      ...answer,
      deleted: sum.deleted + answer.deleted,
      freed_bytes: sum.freed_bytes + answer.freed_bytes,
      ids: [...sum.ids, ...answer.ids].slice(0, mostIds),
      kept: [...sum.kept, ...answer.kept],
    }),
    first,
  )
}

function show(session: Session, answer: DeleteAnswer): void {
  const { terminal } = session
  const size = formatBytes(answer.freed_bytes)
  const number = `${counted(answer.deleted, 'job')}${answer.has_more ? ' or more' : ''}`
  terminal.line(answer.dry_run ? `would delete ${number}, ${size}` : `deleted ${number}, ${size} freed`)
  for (const id of answer.ids) terminal.line(`  ${id}`)
  if (answer.deleted > answer.ids.length) terminal.line(`  and ${answer.deleted - answer.ids.length} more`)
  for (const { id, why } of answer.kept) terminal.note(`kept ${id}: ${terminal.harmless(why)}`)
}
