import type { AttemptEnd, OutputFacts } from '../../domain/ports/attempt.ts'
import type { Device } from '../../domain/wire/prediction.ts'
import { endedAttempt, type HandlerEnd } from '../threads/protocol.ts'
import type { HostAttempt, Verdict } from './host-attempt.ts'
import { factsOfOutput } from './output-care.ts'

/** What is known when an attempt has ended in its thread, or its thread is gone. */
export interface EndFacts {
  /** What the thread said: an EndedAttempt as JSON; null: nothing. */
  readonly text: string | null
  /** How it ends whatever the thread said; null: as the thread said. */
  readonly verdict: Verdict | null
  /** Resolves when nothing of it runs any more; null: nothing does. */
  readonly gone: Promise<void> | null
  /** Ms that it ran. */
  readonly elapsedMs: number
  /** Ends processes that it left behind. @returns those that could not be ended */
  readonly endLeftovers: () => Promise<readonly number[]>
}

type EarlyEnd = Verdict | { readonly kind: 'released'; readonly message: string }

const nothingWritten: OutputFacts = { bytes: 0, droppedBytes: 0, tail: '' }

export function endedText(key: string, end: AttemptEnd): string {
  return JSON.stringify({ key, end })
}

/** @param text an EndedAttempt as JSON @returns the same with what it computed on */
export function withDevice(text: string, device: Device): string {
  return `${text.trimEnd().slice(0, -1)},"device":${JSON.stringify(device)}}`
}

/** @returns true when a thread's text is the end of that attempt: foreign code may have changed what it was made with */
export function isEndOf(attempt: HostAttempt, text: string): boolean {
  try {
    const said = JSON.parse(text)
    // A reusable handler has promised to leave everything as it was, and there are many of its ends: the manager looks closer.
    if (attempt.job.code.reusable) return isLikeEnd(said, attempt.key)
    return endedAttempt.parse(said).key === attempt.key
  } catch {
    return false
  }
}

interface LikeEnd {
  readonly key?: unknown
  readonly end: { readonly [Name in 'kind' | 'elapsedMs' | 'message' | 'artifacts']?: unknown } & {
    readonly output: { readonly bytes?: unknown; readonly tail?: unknown }
    readonly error: { readonly code?: unknown }
  }
}

/** @throws TypeError when it is nothing like an end */
function isLikeEnd({ key: itsKey, end }: LikeEnd, key: string): boolean {
  if (itsKey !== key || typeof end.elapsedMs !== 'number') return false
  if (end.kind === 'released') return typeof end.message === 'string'
  if (typeof end.output.bytes !== 'number' || typeof end.output.tail !== 'string') return false
  if (end.kind === 'completed') return Array.isArray(end.artifacts)
  return end.kind === 'failed' ? typeof end.error.code === 'string' : end.kind === 'rate_limited'
}

/** @returns how an attempt ends that never began */
export function endUnbegun(key: string, end: EarlyEnd, elapsedMs = 0): string {
  return endedText(key, completeEnd(end, [], elapsedMs, nothingWritten))
}

/**
 * Waits until nothing of an attempt runs any more, brings its output in order, and puts its end together.
 * @param directory of the attempt
 * @returns an EndedAttempt as JSON
 */
export async function concludeAttempt(attempt: HostAttempt, directory: string, facts: EndFacts): Promise<string> {
  const { text, verdict } = facts
  await facts.gone
  const survivors = await facts.endLeftovers()
  await attempt.output?.finish().catch(() => undefined)
  const said = text === null ? null : (JSON.parse(text) as { readonly key: string; readonly end: HandlerEnd })
  // Only where something else than its thread wrote, or that could not tell.
  const isKnown = said !== null && 'output' in said.end && attempt.output === null && attempt.programs === null
  const output = isKnown ? said.end.output : await factsOfOutput(directory)
  if (verdict !== null) return endedText(attempt.key, completeEnd(verdict, survivors, facts.elapsedMs, output))
  if (said === null) throw new Error(`nothing is known of the end of ${attempt.key}`)
  return endedText(attempt.key, 'output' in said.end ? { ...said.end, output } : said.end)
}

function completeEnd(end: EarlyEnd, survivors: readonly number[], elapsedMs: number, output: OutputFacts): AttemptEnd {
  switch (end.kind) {
    case 'stopped':
      return { kind: 'stopped', reason: end.reason, survivors, elapsedMs, output }
    case 'timed_out':
      return { kind: 'timed_out', which: end.which, limitMs: end.limitMs, elapsedMs, output }
    case 'failed':
      return { kind: 'failed', error: end.error, retry: end.retry, elapsedMs, output }
    case 'released':
      return { kind: 'released', message: end.message, backOff: false, elapsedMs }
  }
}
