import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { QueueError } from '../../domain/errors.ts'
import { type CommandRunner, jsonCommand } from '../command-runner.ts'
import { formatTime } from '../display/quantities.ts'
import type { Terminal } from '../display/terminal.ts'
import { wrapText } from '../display/text-width.ts'
import { integerOption } from '../option-values.ts'
import type { Session } from '../session.ts'

interface Options {
  readonly lines?: string
  readonly follow?: boolean
}

const defaultLines = 100
const tailBytes = 1024 * 1024
const followIntervalMs = 300
const levels: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
}
/** Keys of every record that say nothing to a person. */
const dull = new Set(['level', 'time', 'msg', 'pid', 'hostname', 'name', 'v'])

export function managerLogsCommand(runner: CommandRunner): Command {
  return jsonCommand('logs', "Show the manager's own log")
    .option('--lines <number>', `how many (default ${defaultLines})`)
    .option('--follow', 'go on showing until Ctrl-C')
    .action(runner.act(managerLogs))
}

async function managerLogs(session: Session, options: Options): Promise<number> {
  const { terminal } = session
  if (options.follow === true && session.json) {
    throw new QueueError('invalid_input', '--follow and --json were given together', {
      remedy: 'Leave out one of them.',
    })
  }
  const file = session.paths().managerLog
  const wanted = options.lines === undefined ? defaultLines : integerOption('--lines', options.lines, 1)
  const tail = readFrom(file, null)
  const lines =
    tail === null
      ? []
      : tail.text
          .split('\n')
          .filter((line) => line !== '')
          .slice(-wanted)
  if (session.json) {
    terminal.value({ file, records: lines.map((line) => parseRecord(line) ?? line) })
    return 0
  }
  if (tail === null) terminal.note(`there is no log yet: ${file}`)
  for (const line of lines) tell(terminal, line)
  if (options.follow === true) await follow(session, file, tail?.end ?? 0)
  return 0
}

async function follow(session: Session, file: string, from: number): Promise<never> {
  let offset = from
  let rest = ''
  for (;;) {
    await delay(followIntervalMs, undefined, { signal: session.interrupted })
    const part = readFrom(file, offset)
    if (part === null) continue
    offset = part.end
    const lines = (rest + part.text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) tell(session.terminal, line)
  }
}

/** On a terminal long records go on below their text, broken at spaces. */
function tell(terminal: Terminal, line: string): void {
  const text = logLine(line, terminal)
  if (!terminal.stdoutIsTerminal) terminal.line(text)
  else for (const part of wrapText(text, terminal.columns - 1, '  ')) terminal.line(part)
}

/** @returns what is in the file from an offset (null: its last megabyte); from the start when it was rotated meanwhile. */
function readFrom(file: string, offset: number | null): { text: string; end: number } | null {
  let descriptor: number
  try {
    descriptor = openSync(file, 'r')
  } catch {
    return null
  }
  try {
    const { size } = fstatSync(descriptor)
    const start = offset === null ? Math.max(0, size - tailBytes) : offset > size ? 0 : offset
    const buffer = Buffer.alloc(Math.min(tailBytes, size - start))
    const read = readSync(descriptor, buffer, 0, buffer.length, start)
    const text = buffer.toString('utf8', 0, read)
    const cut = offset === null && start > 0 ? text.indexOf('\n') + 1 : 0
    return { text: text.slice(cut), end: start + read }
  } finally {
    closeSync(descriptor)
  }
}

function parseRecord(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null
  } catch {
    return null
  }
}

/** @returns one log record for a person; a line that is none stays as it is. */
export function logLine(line: string, terminal: Terminal): string {
  const record = parseRecord(line)
  if (record === null) return terminal.harmless(line)
  const { colors } = terminal
  const level = levels[Number(record['level'])] ?? String(record['level'])
  const paint = level === 'error' || level === 'fatal' ? colors.red : level === 'warn' ? colors.yellow : colors.dim
  const moment = new Date(record['time'] as string | number)
  const time = Number.isNaN(moment.getTime()) ? '' : formatTime(moment.toISOString())
  const rest = Object.entries(record)
    .filter(([key]) => !dull.has(key))
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ')
  return `${colors.dim(time)} ${paint(level.padEnd(5))} ${terminal.harmless(String(record['msg'] ?? ''))}${rest === '' ? '' : ` ${colors.dim(terminal.harmless(rest))}`}`
}
