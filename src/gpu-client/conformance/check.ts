import type { Probe } from './probe.ts'

/** One thing that the protocol promises, looked at from outside. */
export interface Check {
  /** Such as "lease/expiry-cancels"; stable, for scripts. */
  readonly name: string
  /** What is promised, in one line. */
  readonly title: string
  /** What goes wrong in a queue when it is not so. */
  readonly why: string
  /** @throws Mismatch when the promise is broken; NotApplicable when this worker cannot show it */
  run(probe: Probe): Promise<void>
}

export type CheckStatus = 'ok' | 'failed' | 'skipped'

export interface CheckReport {
  readonly name: string
  readonly title: string
  readonly why: string
  readonly status: CheckStatus
  /** Failed: what should have come. */
  readonly expected: string | null
  /** Failed: what came. Skipped: the reason. */
  readonly got: string | null
  readonly milliseconds: number
}

/** The worker answered otherwise than the protocol says. */
export class Mismatch extends Error {
  override readonly name = 'Mismatch'
  readonly expected: string
  readonly got: string

  constructor(expected: string, got: string) {
    super(`expected ${expected}; came ${got}`)
    this.expected = expected
    this.got = got
  }
}

/** This worker has nothing to look at here, such as no key. */
export class NotApplicable extends Error {
  override readonly name = 'NotApplicable'
}

const longestText = 400

/** @returns a value on one line, short enough to be read. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))
  return text.length > longestText ? `${text.slice(0, longestText)}…` : text
}

/** @throws Mismatch unless the condition holds */
export function demand(condition: boolean, expected: string, got: unknown): asserts condition {
  if (!condition) throw new Mismatch(expected, shown(got))
}

/** @throws Mismatch unless both are the same JSON; the order of keys does not count */
export function demandSame(what: string, got: unknown, expected: unknown): void {
  if (sorted(got) !== sorted(expected)) throw new Mismatch(`${what} ${shown(expected)}`, shown(got))
}

function sorted(value: unknown): string {
  const inOrder = (_: string, each: unknown): unknown =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([left], [right]) => (left < right ? -1 : 1)))
      : each
  return JSON.stringify(value, inOrder) ?? 'undefined'
}
