import { ProtocolError, ProtocolErrorCode, ResourceNotFoundError } from '@modelcontextprotocol/server'
import { type ErrorCode, QueueError } from '../../domain/errors.ts'
import { errorText } from '../../tools/tool-errors.ts'

/** What the manager says of an id, a unit or a name that is not there. */
const missing: readonly ErrorCode[] = ['job_not_found', 'unit_not_found', 'invalid_input']

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
