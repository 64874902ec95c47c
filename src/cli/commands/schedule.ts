import { Argument, type Command } from 'commander'
import { errorKinds } from '../../domain/errors.ts'
import type { OperationRequest } from '../../domain/wire/operations.ts'
import type { ScheduleAnswer } from '../../domain/wire/schedules.ts'
import { localTimeZone } from '../../platform/local-time-zone.ts'
import { type CommandRunner, jsonCommand } from '../command-runner.ts'
import { forCommandLine } from '../display/for-command-line.ts'
import { withParametersOf } from '../display/own-parameters.ts'
import { scheduleRunTable, scheduleTable } from '../display/schedule-table.ts'
import { withWholeDependencies } from '../job-ids.ts'
import { addJobOptions } from '../job-input.ts'
import { integerOption } from '../option-values.ts'
import { checkedScheduleName, type ScheduleOptions, scheduleInputOf } from '../schedule-input.ts'
import type { Session } from '../session.ts'
import { readStandardInput } from '../standard-input.ts'
import { refuseWordsBeforeProgram } from './submit.ts'

interface RunsOptions {
  readonly limit?: string
}

const usualRuns = 20

export function scheduleCommand(runner: CommandRunner): Command {
  const group = jsonCommand('schedule', 'Submit jobs again and again, at times of the day or in intervals')
  group.addCommand(addCommand(runner))
  group.addCommand(
    jsonCommand('list', 'Show schedules with their next and last run').alias('ls').action(runner.act(list)),
    { isDefault: true },
  )
  for (const [name, enabled, summary] of [
    ['pause', false, 'Keep a schedule, but let it not fire'],
    ['resume', true, 'Let a paused schedule fire again, from now on'],
  ] as const) {
    group.addCommand(
      jsonCommand(name, summary)
        .argument('<name>', 'schedule')
        .action(
          runner.act(async (session, _options: object, schedule: string) =>
            show(session, await ask(session, { name: checkedScheduleName(schedule), enabled })),
          ),
        ),
    )
  }
  group.addCommand(
    jsonCommand('runs', 'Show what became of the due times of a schedule, newest first')
      .argument('<name>', 'schedule')
      .option('--limit <number>', `how many, at most 100 (default ${usualRuns})`)
      .action(runner.act(runs)),
  )
  group.addCommand(
    jsonCommand('remove', 'Remove a schedule and the record of its runs; its jobs stay')
      .alias('rm')
      .argument('<name>', 'schedule')
      .action(runner.act(remove)),
  )
  return group
}

function addCommand(runner: CommandRunner): Command {
  const command = jsonCommand('add', 'Make a schedule, or change the one of that name: what is left out stays')
    .argument('<name>', 'of the schedule')
    .addArgument(new Argument('[argv...]', 'program and arguments, behind "--"'))
    .option(
      '--cron <fields>',
      'minute hour day month weekday, with seconds first when there are six; or @daily and the like',
    )
    .option('--every <length>', 'instead of --cron: an interval such as 15m')
    .option('--start-at <time>', 'first due time of --every: an ISO 8601 time, or a length from now')
    .option('--time-zone <name>', 'IANA name such as Europe/Berlin (default: the one of this terminal)')
    .option('--missed <policy>', 'due times that passed while nothing could run: once (default), all or skip')
    .option('--overlap <policy>', 'while the earlier job has not ended: skip (default), queue or cancel')
    .option('--paused', 'keep it, but let it not fire yet')
    .option('--shell <script>', 'run this script with /bin/sh -c instead of a program')
    .option('--type <name>', 'job type (default: command); nightkiln types lists them')
    .option('--stdin <text>', 'standard input of the command; "-" reads it from here')
  return addJobOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  nightkiln schedule add nightly --cron "0 6 * * *" --time-zone Europe/Berlin --missed once -- ./report.sh
  nightkiln schedule add mirror --every 15m --overlap skip --shell "rsync -a src/ backup/"
  nightkiln schedule add nightly --cron "0 7 * * *"
`,
    )
    .hook('preAction', (_, command) => refuseWordsBeforeProgram(command, 1))
    .action(runner.act(add))
}

async function add(session: Session, given: ScheduleOptions, name: string, argv: readonly string[]): Promise<number> {
  const options = await withWholeDependencies(session, given)
  const stdin =
    options.stdin === '-'
      ? await readStandardInput(session, 'nightkiln schedule add nightly --stdin - -- sort < names.txt')
      : undefined
  return show(
    session,
    await ask(session, scheduleInputOf(name, options, argv, { cwd: session.cwd, now: session.now(), stdin })).catch(
      (error: unknown) => {
        throw withParametersOf(options.type ?? 'command', error)
      },
    ),
  )
}

function ask(
  session: Session,
  input: Omit<OperationRequest<'schedule_job'>, 'context' | 'local_time_zone'>,
): Promise<ScheduleAnswer> {
  return session
    .client()
    .call(
      'schedule_job',
      { ...input, local_time_zone: localTimeZone(), context: session.submitContext() },
      { signal: session.interrupted },
    )
}

function show(session: Session, answer: ScheduleAnswer): number {
  const { terminal } = session
  if (session.json) {
    terminal.value(answer)
    return 0
  }
  terminal.line(scheduleTable([answer.schedule], terminal, session.now()))
  if (answer.existing) terminal.note('changed: a schedule of that name was there')
  for (const note of answer.notes) terminal.note(terminal.colors.dim(terminal.harmless(forCommandLine(note))))
  return 0
}

async function list(session: Session): Promise<number> {
  const { terminal } = session
  const answer = await session.client().call('list_schedules', {}, { signal: session.interrupted })
  if (session.json) terminal.value(answer)
  else if (answer.schedules.length === 0) terminal.note('no schedules')
  else terminal.line(scheduleTable(answer.schedules, terminal, session.now()))
  return 0
}

async function runs(session: Session, options: RunsOptions, given: string): Promise<number> {
  const { terminal } = session
  const name = checkedScheduleName(given)
  const history = options.limit === undefined ? usualRuns : integerOption('--limit', options.limit, 1)
  const answer = await session.client().call('list_schedules', { name, history }, { signal: session.interrupted })
  const [schedule] = answer.schedules
  if (session.json) terminal.value(answer)
  else if (schedule === undefined) terminal.problem(terminal.harmless(forCommandLine(answer.next)))
  else if (schedule.history.length === 0) terminal.note('it has not been due yet')
  else terminal.line(scheduleRunTable(schedule, terminal))
  return schedule === undefined ? errorKinds.job_not_found.exitCode : 0
}

async function remove(session: Session, _options: object, given: string): Promise<number> {
  const { terminal } = session
  const name = checkedScheduleName(given)
  const answer = await session.client().call('remove_schedule', { name }, { signal: session.interrupted })
  if (session.json) terminal.value(answer)
  else if (answer.removed) terminal.line(`removed: ${terminal.harmless(name)}; its jobs stay`)
  else terminal.problem(terminal.harmless(forCommandLine(answer.next)))
  return answer.removed ? 0 : errorKinds.job_not_found.exitCode
}
