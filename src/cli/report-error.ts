import type { CommanderError } from 'commander'
import { type ErrorRecord, errorKinds, QueueError, toErrorRecord } from '../domain/errors.ts'
import { forCommandLine } from './display/for-command-line.ts'
import { outcomeExitCodes } from './exit-codes.ts'
import type { Session } from './session.ts'

/** @returns the JSON that goes to stderr with --json. */
export function errorJson(record: ErrorRecord): string {
  const { code, message, remedy, details } = record
  return JSON.stringify({ error: { code, message, remedy, ...(details === undefined ? {} : { details }) } })
}

/**
 * Tells an error on stderr: two lines for people, one JSON object with --json; never a stack.
 * @returns the exit code that belongs to the error
 */
export function reportError(thrown: unknown, session: Pick<Session, 'terminal' | 'json' | 'interrupted'>): number {
  const { terminal } = session
  terminal.liveEnd()
  if (session.interrupted.aborted) {
    terminal.note('interrupted; jobs go on')
    return outcomeExitCodes.interrupted.code
  }
  const told = toErrorRecord(thrown)
  const record = { ...told, message: forCommandLine(told.message), remedy: forCommandLine(told.remedy) }
  if (session.json) terminal.problem(errorJson(record))
  else {
    terminal.problem(`${terminal.colors.red('error:')} ${terminal.harmless(record.message)}`)
    terminal.problem(`  ${terminal.colors.dim(terminal.harmless(record.remedy))}`)
  }
  return errorKinds[record.code].exitCode
}

/**
 * Turns a complaint of the argument parser into an error of ours.
 * @param argv what was typed
 * @returns null when nothing is wrong: help or the version was printed
 */
export function fromCommander(error: CommanderError, argv: readonly string[]): QueueError | null {
  // Help that was printed because no command was named ends with a code of its own there; here it is no error.
  if (error.exitCode === 0 || error.code === 'commander.help') return null
  const [message = 'bad arguments', suggestion] = error.message
    .replace(/^error: /, '')
    .replace(/'([^'\n]*)'/g, '"$1"')
    .split('\n')
  const guess = /^\((Did you mean .*\?)\)$/.exec(suggestion?.trim() ?? '')?.[1]
  return new QueueError('invalid_input', message, { remedy: guess ?? parserRemedy(error, argv) })
}

function parserRemedy(error: CommanderError, argv: readonly string[]): string {
  const submit = argv.indexOf('submit')
  if (error.code !== 'commander.unknownOption' || submit === -1 || argv.slice(0, submit).some(isWord)) {
    return 'Look at nightkiln --help, or nightkiln COMMAND --help.'
  }
  const program = argv.slice(submit + 1)
  const typed = program[0] !== undefined && isWord(program[0]) ? program.map(quoted).join(' ') : 'ls -la'
  return `Write: nightkiln submit -- ${typed}`
}

function isWord(text: string): boolean {
  return !text.startsWith('-')
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
