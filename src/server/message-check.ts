import { isUtf8 } from 'node:buffer'
import { isJSONRPCNotification, isJSONRPCRequest, isJSONRPCResponse } from '@modelcontextprotocol/server'
import { invalidRequest, parseError, protocolError } from './protocol-error.ts'

/** What a line is, as the protocol library will see it: it drops what it does not understand without a word. */
export type CheckedMessage =
  | { readonly kind: 'request' | 'notification' | 'answer' }
  /** To be answered with `error`; null: nothing may be answered, since it is an answer itself. */
  | { readonly kind: 'refused'; readonly error: string | null }

const request: CheckedMessage = { kind: 'request' }
const notification: CheckedMessage = { kind: 'notification' }
const answer: CheckedMessage = { kind: 'answer' }
const ignored: CheckedMessage = { kind: 'refused', error: null }

const refused = (error: string): CheckedMessage => ({ kind: 'refused', error })

const oneMessageALine = 'Send one JSON-RPC 2.0 message a line, in UTF-8.'
// Made once: a flood of such lines shares them.
const noJson = refused(protocolError(parseError, `The line is not JSON. ${oneMessageALine}`))
const batch = refused(protocolError(invalidRequest, `Batches are not taken, nothing was done. ${oneMessageALine}`))
const noObject = refused(protocolError(invalidRequest, `The line is no JSON object. ${oneMessageALine}`))
const noMessage = refused(protocolError(invalidRequest, 'The message has no method, no result and no error.'))

const messageKeys = new Set(['jsonrpc', 'id', 'method', 'params'])

type Fields = Readonly<Record<string, unknown>>

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The ids and tokens of the protocol: a string, or an integer that every language reads alike. */
function isName(value: unknown): value is string | number {
  return typeof value === 'string' || Number.isSafeInteger(value)
}

/** @returns what keeps a call from being understood */
function whatIsWrong(message: Fields): string {
  const { params } = message
  if (message['jsonrpc'] !== '2.0') return 'jsonrpc must be "2.0"'
  if (Object.hasOwn(message, 'id') && !isName(message['id'])) {
    return 'id must be a string or an integer; a notification has none'
  }
  if (typeof message['method'] !== 'string') return 'method must be a string'
  if (params !== undefined && !isFields(params)) return 'params must be an object'
  const meta = params?.['_meta']
  if (meta !== undefined && !isFields(meta)) return 'params._meta must be an object'
  const token = meta?.['progressToken']
  if (token !== undefined && !isName(token)) return 'params._meta.progressToken must be a string or an integer'
  const unknown = Object.keys(message).find((key) => !messageKeys.has(key))
  if (unknown !== undefined) return `${JSON.stringify(unknown.slice(0, 40))} is no field of a message`
  return 'its fields are not those of a JSON-RPC 2.0 message'
}

function refusedCall(message: Fields): CheckedMessage {
  const { id } = message
  const text = `The message was not understood, nothing was done: ${whatIsWrong(message)}.`
  if (isName(id)) return refused(protocolError(invalidRequest, text, { id }))
  // A notification is never answered; this one had an id, only an impossible one.
  return Object.hasOwn(message, 'id') ? refused(protocolError(invalidRequest, text)) : ignored
}

function checkedText(bytes: Buffer, message: Fields): CheckedMessage | null {
  if (isUtf8(bytes)) return null
  const { id } = message
  const known = isName(id) && !String(id).includes('\ufffd') ? { id } : {}
  const isCall = Object.hasOwn(message, 'method') && Object.hasOwn(message, 'id')
  return isCall ? refused(protocolError(parseError, `The line is not UTF-8. ${oneMessageALine}`, known)) : ignored
}

/**
 * Looks at one line before the protocol library does.
 * @param bytes with or without the newline
 */
export function checkMessage(bytes: Buffer): CheckedMessage {
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8'))
  } catch {
    return noJson
  }
  if (Array.isArray(value)) return batch
  if (!isFields(value)) return noObject
  const isCall = Object.hasOwn(value, 'method')
  if (!isCall && !Object.hasOwn(value, 'result') && !Object.hasOwn(value, 'error')) return noMessage
  const garbled = checkedText(bytes, value)
  if (garbled !== null) return garbled
  if (isJSONRPCRequest(value)) return request
  if (isJSONRPCNotification(value)) return notification
  if (isJSONRPCResponse(value)) return answer
  return isCall ? refusedCall(value) : ignored
}
