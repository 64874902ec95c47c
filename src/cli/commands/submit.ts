import { Argument, type Command } from 'commander'
import { QueueError } from '../../domain/errors.ts'
import type { SubmitAnswer } from '../../domain/wire/submit.ts'
import { type CommandRunner, jsonCommand } from '../command-runner.ts'
import { forCommandLine } from '../display/for-command-line.ts'
import { jobDetail } from '../display/job-detail.ts'
import { withParametersOf } from '../display/own-parameters.ts'
import { waitExitCode } from '../exit-codes.ts'
import { withWholeDependencies } from '../job-ids.ts'
import { addJobOptions, type SubmitOptions, submitInputOf } from '../job-input.ts'
import type { Session } from '../session.ts'
import { readStandardInput } from '../standard-input.ts'
import { watchJobs } from '../watch-jobs.ts'

interface Options extends SubmitOptions {
  readonly wait?: boolean
}

export function submitCommand(runner: CommandRunner): Command {
  const command = jsonCommand(
    'submit',
    'Submit a job: a program with its arguments, a shell script, or another job type',
  )
    .addArgument(new Argument('[argv...]', 'program and arguments, behind "--"'))
    .option('--shell <script>', 'run this script with /bin/sh -c instead of a program')
    .option('--type <name>', 'job type (default: command); nightkiln types lists them')
    .option('--stdin <text>', 'standard input of the command; "-" reads it from here')
    .option('--key <text>', 'idempotency key: the same key never makes a second job')
    .option('--wait', 'wait for the end; the exit code tells the outcome')
  return addJobOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  nightkiln submit -- make -j4
  nightkiln submit --shell "make && make test" --wait
  nightkiln submit --glob "*.wav" --test-first 3 -- lame {{unit.path}} {{unit.stem}}.mp3
  nightkiln submit --lines urls.txt --max-attempts 3 --per-key {{unit}} -- curl -fsSO {{unit}}
`,
    )
    .hook('preAction', (_, command) => refuseWordsBeforeProgram(command))
    .action(runner.act(submit))
}

/**
 * A pattern without quotes is replaced by the shell: its second match would be run as the program.
 * @param allowed words of the command line itself, such as a name
 */
export function refuseWordsBeforeProgram(command: Command, allowed = 0): void {
  let root = command
  while (root.parent !== null) root = root.parent
  const raw = (root as Command & { readonly rawArgs: readonly string[] }).rawArgs
  const dashes = raw.indexOf('--')
  const before = dashes === -1 ? [] : command.args.slice(allowed, command.args.length - (raw.length - dashes - 1))
  if (before.length === 0) return
  throw new QueueError('invalid_input', `${JSON.stringify(before[0])} stands before "--", where only options can`, {
    remedy: 'Quote a pattern, so that the shell leaves it alone: --glob "*.wav" -- program …',
  })
}

async function submit(session: Session, given: Options, argv: readonly string[]): Promise<number> {
  const options = await withWholeDependencies(session, given)
  const stdin =
    options.stdin === '-'
      ? await readStandardInput(session, 'nightkiln submit --stdin - -- sort < names.txt')
      : undefined
  const input = submitInputOf(options, argv, { cwd: session.cwd, now: session.now(), stdin })
  const answer = await session
    .client()
    .call(
      'submit_job',
      { ...input, idempotency_key: input.idempotency_key ?? session.randomId(), context: session.submitContext() },
      { signal: session.interrupted },
    )
    .catch((error: unknown) => {
      throw withParametersOf(input.type, error)
    })
  return finishSubmit(session, answer, { wait: options.wait === true, keyGiven: options.key !== undefined })
}

/** Tells what was submitted and, if asked for, waits for its end. Shared by submit and rerun. */
export async function finishSubmit(
  session: Session,
  answer: SubmitAnswer,
  { wait, keyGiven }: { readonly wait: boolean; readonly keyGiven: boolean },
): Promise<number> {
  const { terminal } = session
  if (!session.json) {
    const text = answer.existing ? `existing job, submitted ${answer.submitted_at}` : 'submitted'
    // A pipe gets the id alone, so that id=$(nightkiln submit …) works.
    if (terminal.live)
      terminal.line(`${terminal.colors.bold(answer.id)}  ${text}: ${terminal.harmless(answer.job.name)}`)
    else terminal.line(answer.id)
    if (answer.existing && keyGiven) terminal.note('this key was used before: no new job was made')
    for (const note of answer.notes)
      terminal.note(terminal.colors.dim(terminal.harmless(forCommandLine(note, answer.id))))
  }
  if (!wait) {
    if (session.json) terminal.value(answer)
    else terminal.note(terminal.colors.dim(`nightkiln wait ${answer.id}   waits for the end; it goes on without you`))
    return 0
  }
  const outcome = await watchJobs(session, session.client(), { ids: [answer.id], until: 'all_ended' })
  const job = outcome.jobs[0] ?? answer.job
  if (session.json) terminal.value({ ...answer, job })
  else if (job.stored_state === 'failed')
    for (const line of jobDetail(job, terminal, session.now())) terminal.line(line)
  return waitExitCode(outcome)
}
