import { isUtf8 } from 'node:buffer'

/** What a server owes for one line, judged without any code of the product. */
export type Expectation =
  /** Nothing at all: blank, a notification, an answer. */
  | { readonly kind: 'nothing' }
  /** An answer with this id. */
  | { readonly kind: 'answer'; readonly id: string | number }
  /** A subscription: an acknowledgement, or an answer when it is refused. */
  | { readonly kind: 'subscription'; readonly id: string | number }
  /** The request with this id may stay without an answer from now on. */
  | { readonly kind: 'release'; readonly id: unknown }
  /** An error without an id: the line is no message. */
  | { readonly kind: 'complaint' }

const byteOrderMark = '\ufeff'
const nothing: Expectation = { kind: 'nothing' }
const complaint: Expectation = { kind: 'complaint' }

export function isRequestId(id: unknown): id is string | number {
  return typeof id === 'string' || (typeof id === 'number' && Number.isSafeInteger(id))
}

function parsed(text: string): { readonly value: unknown } | null {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    return null
  }
}

/** @param line without its newline */
export function expectationOf(line: Buffer): Expectation {
  const text = line.toString('utf8').replace(/\r$/, '')
  if (text === '') return nothing
  const read = parsed(text.startsWith(byteOrderMark) ? text.slice(1) : text)
  if (read === null) return complaint
  const { value } = read
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return complaint
  const message = value as Record<string, unknown>
  const isCall = Object.hasOwn(message, 'method')
  const isAnswer = Object.hasOwn(message, 'result') || Object.hasOwn(message, 'error')
  if (!isCall) return isAnswer ? nothing : complaint
  const { id, method } = message
  if (Object.hasOwn(message, 'id')) {
    if (!isRequestId(id)) return complaint
    // What stands for bytes that were no UTF-8 may be a part of the id.
    if (!isUtf8(line) && typeof id === 'string' && id.includes('\ufffd')) return complaint
    return { kind: method === 'subscriptions/listen' ? 'subscription' : 'answer', id }
  }
  if (method === 'notifications/cancelled') {
    const params = message['params'] as Record<string, unknown> | null | undefined
    return { kind: 'release', id: params?.['requestId'] }
  }
  return nothing
}
