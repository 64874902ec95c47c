/**
 * Marks what a handler throws to say more than "failed". A mark and not the class is looked at: the handler may have been
 * written against another copy of this package.
 */
export const outcomeMark = Symbol.for('nightkiln.handler.outcome')

export type HandlerOutcome =
  | { readonly kind: 'rejected' }
  | { readonly kind: 'retry'; readonly afterMs: number }
  | { readonly kind: 'rate_limited'; readonly waitMs: number }
  | { readonly kind: 'cancelled' }

abstract class OutcomeError extends Error {
  readonly [outcomeMark]: HandlerOutcome

  constructor(name: string, outcome: HandlerOutcome, message: string) {
    super(message)
    this.name = name
    this[outcomeMark] = outcome
  }
}

/** The input is bad: the unit fails and is never retried. */
export class Reject extends OutcomeError {
  constructor(message: string) {
    super('Reject', { kind: 'rejected' }, message)
  }
}

/** This attempt failed; the next one, if `max_attempts` leaves any, comes in `afterMs`. */
export class Retry extends OutcomeError {
  constructor(afterMs: number, message = 'asked to be tried again') {
    super('Retry', { kind: 'retry', afterMs }, message)
  }
}

/** A remote side said "slow down": the queue (or the unit's key) waits `waitMs`, and nothing counts as a failure. */
export class RateLimited extends OutcomeError {
  constructor(waitMs: number, message = 'told to slow down') {
    super('RateLimited', { kind: 'rate_limited', waitMs }, message)
  }
}

/** Thrown by `cancellation.throwIfCancelled()` and `wait()`; let it pass. */
export class Cancelled extends OutcomeError {
  constructor() {
    super('Cancelled', { kind: 'cancelled' }, 'the attempt was cancelled')
  }
}

/** @returns what a thrown value says of the attempt; null for an ordinary error */
export function outcomeOf(thrown: unknown): HandlerOutcome | null {
  if (typeof thrown !== 'object' || thrown === null) return null
  return ((thrown as Record<symbol, unknown>)[outcomeMark] as HandlerOutcome | undefined) ?? null
}
