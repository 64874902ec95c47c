import type { AttemptEnd, OutputFacts, StopReason } from '../../domain/ports/attempt.ts'
import type { HandlerEnd, LastWords } from './protocol.ts'

/** What is known of a host that is gone; its processes are proven gone. */
export interface DeathFacts {
  /** Ends that it wrote down while no manager was there. */
  readonly journal: ReadonlyMap<string, HandlerEnd>
  readonly lastWords: LastWords | null
  /** Why this manager ended it, though it did nothing wrong: its attempts are given back. Null: it did not. */
  readonly endedFor: string | null
  /** The machine was restarted since. */
  readonly otherBoot: boolean
  /** For people: `was ended by SIGSEGV`, `vanished` … */
  readonly how: string
  /** What it said of its crash; '' for nothing. */
  readonly crashLine: string
  /** True when others may have run in it that nobody asks for any more. */
  readonly others: boolean
}

/** An attempt that was handed to it and whose end nobody was told. */
export interface UnendedAttempt {
  readonly key: string
  readonly stopReason: StopReason | null
  readonly elapsedMs: number
}

const unread: OutputFacts = { bytes: 0, droppedBytes: 0, tail: '' }

/**
 * What becomes of the attempts of a host that is gone: what it wrote down; the culprit as it said; stopped as they were told
 * to be; given back when the reason surely was none of theirs. The rest is suspect: a single one is counted as a crash, of
 * several nobody knows which it was.
 * @returns an end for each, output not filled in
 */
export function judgeDeath(facts: DeathFacts, attempts: readonly UnendedAttempt[]): ReadonlyMap<string, AttemptEnd> {
  const ends = new Map<string, AttemptEnd>()
  const unaccounted: UnendedAttempt[] = []
  const culprit = facts.otherBoot ? null : (facts.lastWords?.culprit ?? null)
  for (const attempt of attempts) {
    // Of another boot a record may be there and the effects it speaks of not.
    const recorded = facts.otherBoot ? undefined : facts.journal.get(attempt.key)
    if (recorded !== undefined) ends.set(attempt.key, recorded)
    else if (attempt.key === culprit?.key) ends.set(attempt.key, culprit.end as HandlerEnd)
    else unaccounted.push(attempt)
  }
  const innocence = innocenceOf(facts)
  for (const { key, stopReason, elapsedMs } of unaccounted) {
    if (stopReason !== null) {
      ends.set(key, { kind: 'stopped', reason: stopReason, survivors: [], elapsedMs, output: unread })
    } else if (innocence !== null) ends.set(key, { kind: 'released', message: innocence, backOff: false, elapsedMs })
    else ends.set(key, lost(facts, unaccounted.length, elapsedMs))
  }
  return ends
}

/**
 * An attempt that was stopped because a signal asked its host to end: it may have sent that signal itself, as
 * `process.kill(process.pid)` does, so it is a suspect like those of a host that died.
 */
export function judgeUnasked(end: Extract<HandlerEnd, { kind: 'stopped' }>, isAlone: boolean): AttemptEnd {
  const { elapsedMs, output } = end
  // It had not begun.
  if (elapsedMs === 0) return end
  const what = 'a signal told the process of the handler to end'
  const message = isAlone ? what : `${what}; other attempts may have sent it, so it is tried again alone`
  return { kind: 'lost', message, countsAsCrash: isAlone, elapsedMs, output }
}

/** @returns why the end of the host was no fault of its other attempts; null when that is not known */
function innocenceOf({ lastWords, endedFor, otherBoot }: DeathFacts): string | null {
  if (otherBoot) return null
  if (endedFor !== null) return `the thread host was ended: ${endedFor}`
  switch (lastWords?.reason) {
    case 'stuck':
      return 'the thread host ended itself, because another attempt in it could not be stopped'
    case 'unclaimed':
      return `the thread host ended itself: ${lastWords.message}`
    case 'told':
      return 'the thread host had been told to end'
    default:
      return null
  }
}

function lost(facts: DeathFacts, suspects: number, elapsedMs: number): AttemptEnd {
  if (facts.otherBoot) {
    const message = 'the machine was restarted while the handler ran'
    return { kind: 'lost', message, countsAsCrash: false, elapsedMs, output: unread }
  }
  const alone = suspects === 1 && !facts.others
  const said = facts.lastWords?.message ?? facts.crashLine
  const what = `the process of the handler ${facts.how}${said === '' ? '' : `: ${said}`}`
  const message = alone ? what : `${what}; other attempts ran in it too, so it is tried again alone`
  return { kind: 'lost', message, countsAsCrash: alone, elapsedMs, output: unread }
}
