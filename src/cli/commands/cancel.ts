import type { Command } from 'commander'
import { errorKinds, QueueError } from '../../domain/errors.ts'
import type { CancelAnswer } from '../../domain/wire/jobs.ts'
import { type CommandRunner, jsonCommand } from '../command-runner.ts'
import { stateColor } from '../display/state-color.ts'
import { renderTable } from '../display/table.ts'
import { addFilterOptions, type FilterOptions, filterOf } from '../job-filter.ts'
import { resolveJobIds } from '../job-ids.ts'
import type { Session } from '../session.ts'
import { watchJobs } from '../watch-jobs.ts'

interface Options extends FilterOptions {
  readonly all?: boolean
  readonly yes?: boolean
  readonly wait?: boolean
}

type CancelledJob = CancelAnswer['jobs'][number]

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
  const filter = filterOf(options, session.now())
  const filtered = options.all === true || Object.keys(filter).length > 0
  if (filtered === typed.length > 0) {
    throw new QueueError('invalid_input', filtered ? 'ids and a filter were given together' : 'no job was named', {
      remedy: 'Give ids, or a filter such as --label batch=7, or --all.',
    })
  }
  if (filtered && options.yes !== true) {
    throw new QueueError('invalid_input', 'cancelling by filter needs --yes', {
      remedy: 'Look first: nightkiln list --state unfinished with the same filter; then add --yes.',
    })
  }
  const client = session.client()
  const answer = filtered
    ? await cancelByFilter(session, Object.keys(filter).length > 0 ? filter : { states: ['unfinished'] })
    : await client.call(
        'cancel_job',
        { ids: await resolveJobIds(client, typed, session.interrupted) },
        { signal: session.interrupted },
      )
  const stopping = answer.jobs.filter((job) => job.outcome === 'cancelling').map((job) => job.id)
  if (!session.json) showOutcome(session, answer.jobs)
  if (options.wait === true) {
    for (let start = 0; start < stopping.length; start += 50) {
      await watchJobs(session, client, { ids: stopping.slice(start, start + 50), until: 'all_ended' })
    }
  }
  if (session.json) terminal.value(answer)
  return exitCodeOf(answer.jobs)
}

/** The manager cancels at most 100 jobs a call. */
async function cancelByFilter(session: Session, filter: ReturnType<typeof filterOf>): Promise<CancelAnswer> {
  const seen = new Map<string, CancelledJob>()
  for (;;) {
    const answer = await session.client().call('cancel_job', { filter }, { signal: session.interrupted })
    const before = seen.size
    for (const job of answer.jobs) seen.set(job.id, job)
    if (!answer.has_more || seen.size === before) return { ...answer, jobs: [...seen.values()] }
  }
}

function showOutcome(session: Session, jobs: readonly CancelledJob[]): void {
  const { terminal } = session
  if (jobs.length === 0) {
    terminal.note('no unfinished job fits')
    return
  }
  terminal.line(
    renderTable<CancelledJob>(
      [
        { title: 'ID', text: (job) => job.id },
        { title: 'OUTCOME', text: (job) => job.outcome, paint: (job) => stateColor(terminal.colors, job.outcome) },
        { title: 'WHY', text: (job) => job.why, shrink: { order: 1, least: 8 }, drop: 1 },
      ],
      jobs,
      terminal,
    ),
  )
}

function exitCodeOf(jobs: readonly CancelledJob[]): number {
  if (jobs.some((job) => job.outcome === 'not_found')) return errorKinds.job_not_found.exitCode
  return jobs.some((job) => job.outcome === 'already_final') ? errorKinds.invalid_transition.exitCode : 0
}
