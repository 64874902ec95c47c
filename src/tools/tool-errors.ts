import { harmlessText } from '../domain/display-text.ts'
import { QueueError, toErrorRecord } from '../domain/errors.ts'

/** Clients cut error texts near 11,000 characters; what to do next stands at the end. */
const longestMessage = 4_000

function sentence(text: string): string {
  const trimmed = text.trim()
  return trimmed === '' || /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`
}

function cut(text: string): string {
  return text.length <= longestMessage ? text : `${text.slice(0, longestMessage)} …`
}

/**
 * All that a model sees of an error: its code, what happened, what to do, the next call. Never a stack.
 * @param idempotencyKey key of the submit that failed, so that a repeat cannot make a second job
 */
export function errorText(thrown: unknown, idempotencyKey: string | undefined): string {
  const record = toErrorRecord(thrown)
  const parts = [`${record.code}: ${sentence(cut(record.message))}`, sentence(record.remedy)]
  const retryAfter = record.details?.['retry_after_ms']
  if (typeof retryAfter === 'number') parts.push(`Repeat after ${Math.ceil(retryAfter / 1000)} s.`)
  const repeatable = thrown instanceof QueueError && thrown.retryable
  if (repeatable && idempotencyKey !== undefined) {
    parts.push(
      `Repeat with idempotency_key ${JSON.stringify(idempotencyKey)} and the same content: it cannot make a second job.`,
    )
  }
  return harmlessText(parts.filter((part) => part !== '').join(' '))
}
