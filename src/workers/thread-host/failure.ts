import { inspect } from 'node:util'
import { cutText } from '../../domain/cut-text.ts'
import { type ErrorCode, type ErrorRecord, errorKinds } from '../../domain/errors.ts'
import type { AttemptEnd } from '../../domain/ports/attempt.ts'

const longestMessage = 2_000

/** How an attempt failed, without what only its end knows. */
export type Failure = Pick<Extract<AttemptEnd, { kind: 'failed' }>, 'kind' | 'error' | 'retry'>

/**
 * @param message for people; a very long one is cut
 * @param remedy what to do next; that of the code when left out
 */
export function failure(
  code: ErrorCode,
  message: string,
  retry: Failure['retry'],
  details = {},
  remedy: string = errorKinds[code].remedy,
): Failure {
  const error: ErrorRecord = {
    code,
    message: errorMessage(message),
    remedy,
    ...(Object.keys(details).length > 0 ? { details } : {}),
  }
  return { kind: 'failed', error, retry }
}

/** An attempt that did nothing, since its handler could not be loaded. */
export type Unloadable = Pick<Extract<AttemptEnd, { kind: 'released' }>, 'kind' | 'message' | 'backOff' | 'unavailable'>

/** @param why a sentence that names the file */
export function unloadable(why: string): Unloadable {
  const message = errorMessage(`its handler could not be loaded: ${why}`)
  return { kind: 'released', message, backOff: false, unavailable: true }
}

/** @returns what a person reads of it: the message, with that of its cause; never a stack */
export function messageOf(thrown: unknown): string {
  try {
    if (!(thrown instanceof Error)) return inspect(thrown, { depth: 1, breakLength: Number.POSITIVE_INFINITY })
    const message = thrown.message === '' ? thrown.name : thrown.message
    const cause = thrown.cause instanceof Error ? thrown.cause.message : ''
    return cause === '' || message.includes(cause) ? message : `${message} (${cause})`
  } catch {
    return 'a value that cannot be shown'
  }
}

/** @returns a text of bearable length without half characters */
export function errorMessage(message: string): string {
  return cutText(Buffer.from(message).toString(), longestMessage)
}
