import { ProtocolError, ProtocolErrorCode, ResourceNotFoundError } from '@modelcontextprotocol/server'
import { cutText } from '../../domain/cut-text.ts'
import { harmlessText } from '../../domain/display-text.ts'
import { type ErrorCode, QueueError } from '../../domain/errors.ts'
import { errorText } from '../../tools/tool-errors.ts'

/** What the manager says of an id, a unit or a name that is not there. */
const missing: readonly ErrorCode[] = ['job_not_found', 'unit_not_found', 'invalid_input']

const longestShown = 100

/** @returns text of a caller in quotes, cut and harmless, for a message. */
export function quoted(text: string): string {
  return JSON.stringify(harmlessText(cutText(text, longestShown)))
}

/** @returns the protocol error of a URI that names nothing, with a message that says what to do. */
export function notFound(uri: string, message: string): ResourceNotFoundError {
  return new ResourceNotFoundError(uri, message)
}

/** @returns what a failed read becomes on the wire: what is not there is "not found", everything else an internal error. */
export function readError(uri: string, thrown: unknown): ProtocolError {
  if (thrown instanceof ProtocolError) return thrown
  const text = errorText(thrown, undefined)
  if (thrown instanceof QueueError && missing.includes(thrown.code)) return notFound(uri, text)
  return new ProtocolError(ProtocolErrorCode.InternalError, text)
}
