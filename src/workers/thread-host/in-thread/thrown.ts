import { inspect } from 'node:util'
import { cutText } from '../../../domain/cut-text.ts'
import type { AttemptEnd, OutputFacts } from '../../../domain/ports/attempt.ts'
import { outcomeOf } from '../../../handler/outcomes.ts'
import { errorMessage, type Failure, failure, messageOf, type Unloadable } from '../failure.ts'
import { isFiniteNumber } from './intrinsics.ts'
import { placeIn } from './place-in-file.ts'

const longestName = 100
const longestPlace = 5_000
const longestWaitMs = 30 * 24 * 3_600_000

export type Outcome =
  | Failure
  | Unloadable
  | Pick<Extract<AttemptEnd, { kind: 'rate_limited' }>, 'kind' | 'waitMs' | 'message'>
  | (Omit<Extract<AttemptEnd, { kind: 'completed' }>, 'elapsedMs' | 'output'> & { readonly output?: OutputFacts })

/**
 * @param thrown what a handler threw, or what nobody caught
 * @param how what happened when it was not simply thrown, such as "an error that nobody caught"
 */
export function outcomeOfThrown(thrown: unknown, file: string, how: string | null = null): Outcome {
  const outcome = outcomeOf(thrown)
  const message = messageOf(thrown)
  switch (outcome?.kind) {
    case 'rejected':
      return failure('handler_rejected', message, 'never')
    case 'retry':
      return failure('handler_failed', message, { afterMs: waitOf(outcome.afterMs) })
    case 'rate_limited':
      return { kind: 'rate_limited', waitMs: waitOf(outcome.waitMs), message: errorMessage(message) }
    case 'cancelled':
      return failure('handler_failed', 'the handler threw Cancelled, but nobody cancelled the attempt', 'policy')
    default:
      return failure('handler_failed', sentenceOf(thrown, message, how), 'policy', detailsOf(thrown, file))
  }
}

/** @returns the whole of it, for the log of the attempt */
export function logTextOf(thrown: unknown): string {
  try {
    return inspect(thrown)
  } catch {
    return 'a value that cannot be shown'
  }
}

function sentenceOf(thrown: unknown, message: string, how: string | null): string {
  if (how !== null) return `${how}: ${message}`
  return thrown instanceof Error ? message : `the handler threw ${message}`
}

function detailsOf(thrown: unknown, file: string): Record<string, string> {
  if (!(thrown instanceof Error)) return {}
  try {
    const at = placeIn(String(thrown.stack), file)
    const name = cutText(String(thrown.name), longestName)
    return { name, ...(at === null ? {} : { at: cutText(at, longestPlace) }) }
  } catch {
    return {}
  }
}

function waitOf(ms: unknown): number {
  return isFiniteNumber(ms) ? Math.min(Math.max(0, Math.round(ms as number)), longestWaitMs) : 0
}
