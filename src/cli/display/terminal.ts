import { createColors } from 'picocolors'
import { harmlessText } from '../../domain/display-text.ts'
import { LiveBlock } from './live-block.ts'

export interface WritableText {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

export interface TerminalStreams {
  readonly stdout: WritableText
  readonly stderr: WritableText
}

export type Colors = ReturnType<typeof createColors>

/** Where a command writes: values on stdout, notes and errors on stderr. */
export interface Terminal {
  readonly colors: Colors
  /** True when stdout is a terminal that a person watches and that can be redrawn. */
  readonly live: boolean
  readonly stdoutIsTerminal: boolean
  readonly unicode: boolean
  /** Width now: a window may be resized at any time. */
  readonly columns: number
  line(text?: string): void
  /** Writes text as it is, no line feed added. */
  text(text: string): void
  /** The one JSON value of --json. */
  value(value: unknown): void
  /** Something beside the answer: stderr, silent with --json. */
  note(text: string): void
  problem(text: string): void
  /** Redraws a block of lines in place; only when `live`. */
  draw(lines: readonly string[]): void
  /** Leaves what was drawn on the screen and goes on below it. */
  liveEnd(): void
  /** Text from jobs or other programs, safe to show on one line. */
  harmless(text: string): string
}

/** @returns true when the environment asks for colour, or allows it on a terminal (NO_COLOR, FORCE_COLOR). */
export function wantsColor(environment: NodeJS.ProcessEnv, isTerminal: boolean): boolean {
  if (environment['NO_COLOR'] !== undefined && environment['NO_COLOR'] !== '') return false
  const forced = environment['FORCE_COLOR']
  if (forced !== undefined && forced !== '0' && forced !== '') return true
  return isTerminal && environment['TERM'] !== 'dumb'
}

function speaksUnicode(environment: NodeJS.ProcessEnv): boolean {
  if (process.platform === 'win32' || process.platform === 'darwin') return true
  const locale = environment['LC_ALL'] || environment['LC_CTYPE'] || environment['LANG'] || ''
  return /utf-?8/i.test(locale) && environment['TERM'] !== 'linux'
}

/** What is higher than the screen cannot be redrawn: its top would stay behind at every draw. */
function withinRows(lines: readonly string[], rows: number): readonly string[] {
  const most = Math.max(2, rows - 1)
  return lines.length <= most ? lines : [...lines.slice(0, most - 1), `and ${lines.length - most + 1} more`]
}

/** @returns the terminal of a command over two streams. */
export function createTerminal(streams: TerminalStreams, environment: NodeJS.ProcessEnv, json: boolean): Terminal {
  const { stdout, stderr } = streams
  const stdoutIsTerminal = stdout.isTTY === true
  const live = stdoutIsTerminal && !json && environment['TERM'] !== 'dumb'
  const columns = () => stdout.columns || 100
  const block = new LiveBlock((text) => stdout.write(text), columns)
  return {
    colors: createColors(!json && wantsColor(environment, stdoutIsTerminal)),
    live,
    stdoutIsTerminal,
    unicode: speaksUnicode(environment),
    get columns() {
      return columns()
    },
    line: (text = '') => {
      stdout.write(`${text}\n`)
    },
    text: (text) => {
      stdout.write(text)
    },
    value: (value) => {
      stdout.write(`${JSON.stringify(value, null, 2)}\n`)
    },
    note: (text) => {
      if (!json) stderr.write(`${text}\n`)
    },
    problem: (text) => {
      stderr.write(`${text}\n`)
    },
    draw: (lines) => {
      if (live) block.draw(withinRows(lines, stdout.rows || 50))
    },
    liveEnd: () => block.end(),
    harmless: (text) => harmlessText(text).replace(/\s*\n\s*|\t/g, ' '),
  }
}
