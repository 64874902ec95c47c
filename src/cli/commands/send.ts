import type { Command } from 'commander'
import { type CommandRunner, jsonCommand } from '../command-runner.ts'
import { formatBytes } from '../display/quantities.ts'
import { typedJobId } from '../job-ids.ts'
import { integerOption } from '../option-values.ts'
import type { Session } from '../session.ts'
import { readStandardInput } from '../standard-input.ts'

interface Options {
  readonly unit?: string
  readonly raw?: boolean
  readonly end?: boolean
}

/** One call takes 64 Ki characters. */
const mostCharacters = 64 * 1024

export function sendCommand(runner: CommandRunner): Command {
  return jsonCommand('send', 'Send a line to a command that was submitted with --interactive')
    .argument('<id>', 'job id, its end, or "last"')
    .argument('[text...]', 'the line; left out (without --end) or "-": standard input as it is')
    .option('--unit <number>', 'position of the unit (default 0)')
    .option('--raw', 'add no newline')
    .option('--end', 'afterwards the command reads the end of its input')
    .action(runner.act(send))
}

async function send(session: Session, options: Options, typed: string, words: readonly string[]): Promise<number> {
  const id = await typedJobId(session, typed)
  const fromInput = words.length === 0 ? options.end !== true : words.length === 1 && words[0] === '-'
  const text = fromInput ? await readStandardInput(session, `nightkiln send ${id} < answers.txt`) : words.join(' ')
  // Standard input has the newlines that it has; an end alone is no line.
  const raw = fromInput || options.raw === true || words.length === 0
  const pieces = piecesOf(text)
  let bytes = 0
  for (const [index, piece] of pieces.entries()) {
    const isLast = index === pieces.length - 1
    const answer = await session.client().call(
      'send_input',
      {
        id,
        ...(options.unit === undefined ? {} : { unit: integerOption('--unit', options.unit) }),
        text: piece,
        raw: raw || !isLast,
        end: isLast && options.end === true,
      },
      { signal: session.interrupted },
    )
    bytes += answer.bytes
    if (!isLast) continue
    if (session.json) session.terminal.value({ ...answer, bytes })
    else session.terminal.note(`${formatBytes(bytes)} sent${answer.ended ? ', input ended' : ''}`)
  }
  return 0
}

/** @returns the text in pieces that one call takes; a character of two code units is not torn apart. */
export function piecesOf(text: string, most = mostCharacters): string[] {
  const pieces: string[] = []
  let start = 0
  while (text.length - start > most) {
    const code = text.charCodeAt(start + most - 1)
    const end = start + most - (code >= 0xd800 && code <= 0xdbff ? 1 : 0)
    pieces.push(text.slice(start, end))
    start = end
  }
  return [...pieces, text.slice(start)]
}
