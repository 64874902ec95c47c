import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import type { ManagerClient } from '../../client/manager-client.ts'
import { harmlessText } from '../../domain/display-text.ts'
import { QueueError } from '../../domain/errors.ts'
import type { LogsAnswer, LogsRequest } from '../../domain/wire/jobs.ts'
import { type CommandRunner, jsonCommand } from '../command-runner.ts'
import { formatBytes } from '../display/quantities.ts'
import { typedJobId } from '../job-ids.ts'
import { integerOption } from '../option-values.ts'
import type { Session } from '../session.ts'

interface Options {
  readonly unit?: string
  readonly attempt?: string
  readonly head?: string
  readonly tail?: string
  readonly all?: boolean
  readonly grep?: string
  readonly follow?: boolean
  readonly raw?: boolean
}

const pageBytes = 200_000
const defaultTailBytes = 64_000
const followIntervalMs = 300

export function logsCommand(runner: CommandRunner): Command {
  return jsonCommand('logs', 'Show what a job printed')
    .argument('<id>', 'job id, its end, or "last"')
    .option('--tail <lines>', 'the last lines')
    .option('--head <lines>', 'the first lines')
    .option('--all', 'everything that was kept')
    .option('--follow', 'go on showing until the job ends')
    .option('--grep <text>', 'only lines that contain this text (no pattern)')
    .option('--unit <number>', 'position of the unit, from 0 (default: the first)')
    .option('--attempt <number>', 'attempt (default: the latest)')
    .option(
      '--raw',
      'output alone, without notes; only into a file or a pipe; control characters arrive escaped, as \\x1b',
    )
    .action(runner.act(logs))
}

async function logs(session: Session, options: Options, typed: string): Promise<number> {
  refuseContradictions(session, options)
  const client = session.client()
  const id = await typedJobId(session, typed)
  const base: LogsRequest = {
    id,
    ...(options.unit === undefined ? {} : { unit: integerOption('--unit', options.unit) }),
    ...(options.attempt === undefined ? {} : { attempt: integerOption('--attempt', options.attempt, 1) }),
    ...(options.grep === undefined ? {} : { grep: options.grep }),
  }
  const { out, wrote } = writer(session, options)
  const tellSilence = (answer: LogsAnswer) => {
    if (options.raw !== true && !wrote()) tellWhyEmpty(session, answer, options.grep)
  }
  if (options.all === true && !session.json && options.follow !== true) {
    tellSilence(await copyRange(session, client, base, 0, out))
    return 0
  }
  const answer = await client.call('job_logs', { ...base, ...firstPart(options) }, { signal: session.interrupted })
  if (session.json) {
    session.terminal.value(answer)
    return 0
  }
  if (options.raw !== true) tellWhatIsMissing(session, answer)
  out(answer.untrusted_output)
  if (options.follow === true) tellSilence(await follow(session, client, base, answer, out))
  else tellSilence(answer)
  return 0
}

function refuseContradictions(session: Session, options: Options): void {
  const refuse = (message: string, remedy: string): never => {
    throw new QueueError('invalid_input', message, { remedy })
  }
  if (options.raw === true && session.terminal.stdoutIsTerminal) {
    refuse('--raw was given, but the output goes to a terminal', 'Send it into a file or a pipe, or leave out --raw.')
  }
  if (options.follow === true && session.json)
    refuse('--follow and --json were given together', 'Leave out one of them.')
  if (options.head !== undefined && (options.tail !== undefined || options.follow === true)) {
    refuse('--head cannot go together with --tail or --follow', 'Leave out one of them.')
  }
}

function firstPart(options: Options): Partial<LogsRequest> {
  if (options.head !== undefined) {
    return { mode: 'head', max_lines: integerOption('--head', options.head, 1), max_bytes: pageBytes }
  }
  if (options.tail !== undefined) {
    return { mode: 'tail', max_lines: integerOption('--tail', options.tail, 1), max_bytes: pageBytes }
  }
  return options.all === true
    ? { mode: 'range', offset: 0, max_bytes: pageBytes }
    : { mode: 'tail', max_bytes: defaultTailBytes }
}

/** Chosen lines end with a line feed, and so does everything on a terminal, where the prompt stands alone. */
function writer(session: Session, options: Options): { out: (text: string) => void; wrote: () => boolean } {
  const whole = options.head ?? options.tail ?? options.grep
  let any = false
  const out = (text: string) => {
    if (text === '') return
    any = true
    const safe = harmlessText(text)
    const ended = safe.endsWith('\n') || (whole === undefined && !session.terminal.stdoutIsTerminal)
    session.terminal.text(ended ? safe : `${safe}\n`)
  }
  return { out, wrote: () => any }
}

/** An empty answer must not look like one that went wrong. */
function tellWhyEmpty(session: Session, answer: LogsAnswer, grep: string | undefined): void {
  const { terminal } = session
  if (answer.attempt === 0) terminal.note('nothing has run yet')
  else if (answer.total_bytes === 0) terminal.note(answer.running ? 'no output yet' : 'it printed nothing')
  else if (grep !== undefined) {
    const where = answer.truncated ? 'no line of this part contains' : 'no line contains'
    terminal.note(`${where} "${terminal.harmless(grep)}"`)
  }
}

function tellWhatIsMissing(session: Session, answer: LogsAnswer): void {
  const { terminal } = session
  if (answer.truncated) {
    const dropped = answer.dropped_bytes > 0 ? `, ${formatBytes(answer.dropped_bytes)} in the middle were not kept` : ''
    terminal.note(
      terminal.colors.dim(`part of ${formatBytes(answer.total_bytes)}${dropped}; --all shows everything kept`),
    )
  }
}

/** Writes pages from `offset` to the end of what is there now. */
async function copyRange(
  session: Session,
  client: ManagerClient,
  base: LogsRequest,
  offset: number,
  out: (text: string) => void,
): Promise<LogsAnswer> {
  let from = offset
  for (;;) {
    const request: LogsRequest = { ...base, mode: 'range', offset: from, max_bytes: pageBytes }
    const answer = await client.call('job_logs', request, { signal: session.interrupted })
    out(answer.untrusted_output)
    if (answer.next_offset <= from || answer.next_offset >= answer.total_bytes) return answer
    from = answer.next_offset
  }
}

/** Goes on until the job is final, over the attempts that come. */
async function follow(
  session: Session,
  client: ManagerClient,
  base: LogsRequest,
  first: LogsAnswer,
  out: (text: string) => void,
): Promise<LogsAnswer> {
  let last = first
  let offset = first.next_offset
  for (;;) {
    // Asked before the output is read: what a final job printed is complete.
    const { jobs } = await client.call('job_status', { ids: [base.id] }, { signal: session.interrupted })
    const newest = await client.call(
      'job_logs',
      { ...base, mode: 'range', offset, max_bytes: pageBytes },
      { signal: session.interrupted },
    )
    if (newest.attempt !== last.attempt && base.attempt === undefined) {
      if (last.attempt > 0) session.terminal.note(`attempt ${newest.attempt}`)
      last = await copyRange(session, client, base, 0, out)
    } else {
      out(newest.untrusted_output)
      last =
        newest.next_offset > offset && newest.next_offset < newest.total_bytes
          ? await copyRange(session, client, base, newest.next_offset, out)
          : newest
    }
    offset = last.next_offset
    if (jobs.every((job) => job.final)) return last
    if (base.attempt !== undefined && !last.running && offset >= last.total_bytes) return last
    await delay(followIntervalMs, undefined, { signal: session.interrupted })
  }
}
