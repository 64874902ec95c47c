import type { Command } from 'commander'
import { errorKinds, QueueError } from '../../domain/errors.ts'
import type { ResultAnswer } from '../../domain/wire/jobs.ts'
import { type CommandRunner, jsonCommand } from '../command-runner.ts'
import { indentedLines } from '../display/indented-lines.ts'
import { formatBytes } from '../display/quantities.ts'
import type { Terminal } from '../display/terminal.ts'
import { typedJobId } from '../job-ids.ts'
import { bytesOption, integerOption } from '../option-values.ts'
import type { Session } from '../session.ts'

interface Options {
  readonly unit?: string
  readonly artifact?: string
  readonly maxBytes?: string
}

const largest = 1_000_000

export function resultCommand(runner: CommandRunner): Command {
  return jsonCommand('result', 'Show the result of a job and the files it made')
    .argument('<id>', 'job id, its end, or "last"')
    .option('--unit <number>', 'position of the unit, from 0 (default: all)')
    .option('--artifact <name>', 'print only where this file of the job lies')
    .option('--max-bytes <size>', 'longest result to show (default and most: 1000000)')
    .addHelpText('after', `\nExit code ${errorKinds.invalid_transition.exitCode} when the job is not final yet.\n`)
    .action(runner.act(result))
}

async function result(session: Session, options: Options, typed: string): Promise<number> {
  const { terminal } = session
  const client = session.client()
  const id = await typedJobId(session, typed)
  const { artifact } = options
  const answer = await client.call(
    'job_result',
    {
      id,
      ...(options.unit === undefined ? {} : { unit: integerOption('--unit', options.unit) }),
      ...(artifact === undefined ? {} : { artifact }),
      max_bytes: options.maxBytes === undefined ? largest : bytesOption('--max-bytes', options.maxBytes),
    },
    { signal: session.interrupted },
  )
  // A unit of a batch may have made its files long before the end.
  if (!answer.final && artifact === undefined) {
    throw new QueueError('invalid_transition', `the job is ${answer.state}, so it has no result yet`, {
      remedy: `Wait for its end: nightkiln wait ${id}`,
    })
  }
  if (session.json) terminal.value(answer)
  else if (artifact !== undefined) terminal.line(terminal.harmless(answer.artifacts[0]?.path ?? ''))
  else showResult(answer, terminal)
  return 0
}

function showResult(answer: ResultAnswer, terminal: Terminal): void {
  const text = typeof answer.result === 'string' ? answer.result : JSON.stringify(answer.result, null, 2)
  for (const line of indentedLines(text, terminal, '')) terminal.line(line)
  if (answer.state === 'failed' || answer.state === 'cancelled') terminal.note(`the job ${answer.state}`)
  if (answer.truncated) terminal.note(`cut: the whole result has ${formatBytes(answer.result_bytes)}`)
  for (const { name, unit, bytes, path } of answer.artifacts) {
    const of = answer.artifacts.some((other) => other.unit !== unit) ? `  unit ${unit}` : ''
    terminal.note(`file ${terminal.harmless(name)}${of}  ${formatBytes(bytes)}  ${terminal.harmless(path)}`)
  }
  if (answer.more_artifacts) terminal.note('There are more files: --unit shows those of one unit.')
}
