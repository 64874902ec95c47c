import type { Command } from 'commander'
import { QueueError } from '../../domain/errors.ts'
import type { PauseAnswer } from '../../domain/wire/control.ts'
import { chosenJobs, forEveryJob, nameJobs } from '../choose-jobs.ts'
import { type CommandRunner, jsonCommand } from '../command-runner.ts'
import { outcomeExitCode, outcomeTable } from '../display/outcome-table.ts'
import { queueLine } from '../display/queue-table.ts'
import { addFilterOptions, type FilterOptions } from '../job-filter.ts'
import type { Session } from '../session.ts'

interface Options extends FilterOptions {
  readonly all?: boolean
  readonly freeze?: boolean
}

const queueHelp = 'the queue itself instead of jobs: nothing of it starts while it is paused'
const resumedQueueHelp =
  'the queue itself instead of jobs; when it was told to slow down, that hold, and those of its keys, is lifted'

export function pauseCommand(runner: CommandRunner): Command {
  const command = jsonCommand('pause', 'Pause jobs, or a queue: nothing new of them starts')
    .argument('[ids...]', 'job ids, their ends, or "last"')
    .option('--all', 'every unfinished job')
    .option('--freeze', 'suspend what runs (SIGSTOP) instead of letting it finish; it keeps its slot')
  return addFilterOptions(command, queueHelp).action(
    runner.act((session, options: Options, typed: readonly string[]) => change(session, 'pause_job', options, typed)),
  )
}

export function resumeCommand(runner: CommandRunner): Command {
  const command = jsonCommand('resume', 'Let paused or frozen jobs, or a queue, go on')
    .argument('[ids...]', 'job ids, their ends, or "last"')
    .option('--all', 'every unfinished job')
  return addFilterOptions(command, resumedQueueHelp).action(
    runner.act((session, options: Options, typed: readonly string[]) => change(session, 'resume_job', options, typed)),
  )
}

async function change(
  session: Session,
  operation: 'pause_job' | 'resume_job',
  { queue, freeze, ...options }: Options,
  typed: readonly string[],
): Promise<number> {
  const client = session.client()
  const how = freeze === true ? { freeze } : {}
  const call = (some: Parameters<typeof client.call<'resume_job'>>[1]): Promise<PauseAnswer> =>
    client.call(operation, { ...some, ...how }, { signal: session.interrupted })
  const chosen = await chosenJobs(session, options, typed, { states: ['unfinished'] })
  if (queue !== undefined && chosen !== null) {
    throw new QueueError('invalid_input', '--queue was given together with jobs', {
      remedy: 'Give --queue alone for the queue itself, or name jobs.',
    })
  }
  if (queue !== undefined) return showQueue(session, await call({ queue }))
  if (chosen === null)
    throw new QueueError('invalid_input', 'no job was named', { remedy: `${nameJobs} --queue NAME is a whole queue.` })
  const answer = await forEveryJob(chosen, call)
  const { terminal } = session
  if (session.json) terminal.value(answer)
  else if (answer.jobs.length === 0) terminal.note('no unfinished job fits')
  else terminal.line(outcomeTable(answer.jobs, terminal))
  return outcomeExitCode(answer.jobs)
}

/** Tells how a queue is after it was paused or resumed. */
export function showQueue(session: Session, answer: PauseAnswer): number {
  if (session.json) session.terminal.value(answer)
  else if (answer.queue !== null) session.terminal.line(queueLine(answer.queue, session.terminal, session.now()))
  return 0
}
