import type { CommanderError } from 'commander'
import { type ErrorRecord, errorKinds, QueueError, toErrorRecord } from '../domain/errors.ts'
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
  const record = toErrorRecord(thrown)
  if (session.json) terminal.problem(errorJson(record))
  else {
    terminal.problem(`${terminal.colors.red('error:')} ${terminal.harmless(record.message)}`)
    terminal.problem(`  ${terminal.colors.dim(terminal.harmless(record.remedy))}`)
  }
  return errorKinds[record.code].exitCode
}

/**
 * Turns a complaint of the argument parser into an error of ours.
 * @returns null when nothing is wrong: help or the version was printed
 */
export function fromCommander(error: CommanderError): QueueError | null {
  if (error.exitCode === 0) return null
  const message = error.message.replace(/^error: /, '').split('\n')[0] ?? 'bad arguments'
  const unknownOption = error.code === 'commander.unknownOption'
  return new QueueError('invalid_input', message, {
    remedy: unknownOption
      ? 'Look at nightkiln --help; arguments of your own program belong behind "--".'
      : 'Look at nightkiln --help, or nightkiln COMMAND --help.',
  })
}
