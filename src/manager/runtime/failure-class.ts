import type { JobOptions, RateLimitSign } from '../../domain/job.ts'

/** What the end of a command with an exit code that is no success means for its unit. */
export type FailureClass =
  | { readonly kind: 'retryable' | 'final' | 'rejected' }
  /** Told to slow down until then, wall ms. */
  | { readonly kind: 'rate_limited'; readonly until: number }

/** `retry-after: 0`, or a time that has passed on our clock, must not become a loop that hammers the other side. */
const shortestHoldMs = 1_000
/** No answer of a remote side holds a lane for longer. */
const longestHoldMs = 24 * 3_600_000
/** `retry-after: 30` or `Retry-After: Wed, 21 Oct 2026 07:28:00 GMT`, as HTTP writes it; the last one counts. */
const retryAfter = /^[^\n]*?\bretry-after:[ \t]*([^\r\n]{1,64})/gim

/**
 * Classes the exit of a command by what its job says of exit codes and output.
 * @param tail last lines of its output
 * @param now wall ms
 */
export function classOfExit(options: JobOptions, exitCode: number, tail: string, now: number): FailureClass {
  const { retry, rateLimit } = options
  if (rateLimit !== null && saysSlowDown(rateLimit, exitCode, tail)) {
    return { kind: 'rate_limited', until: now + holdMs(rateLimit, tail, now) }
  }
  if (retry.rejectedExitCodes.includes(exitCode)) return { kind: 'rejected' }
  const isRetried = retry.exitCode && (retry.onlyExitCodes === null || retry.onlyExitCodes.includes(exitCode))
  return { kind: isRetried ? 'retryable' : 'final' }
}

function saysSlowDown(sign: RateLimitSign, exitCode: number, tail: string): boolean {
  if (sign.exitCodes.includes(exitCode)) return true
  return sign.text !== null && tail.toLowerCase().includes(sign.text.toLowerCase())
}

/** @returns how long the lane waits, ms: what the output names, else what the job says. */
function holdMs(sign: RateLimitSign, tail: string, now: number): number {
  const named = [...tail.matchAll(retryAfter)].at(-1)?.[1]?.trim()
  if (named === undefined) return Math.max(shortestHoldMs, sign.waitMs)
  const seconds = Number(named)
  const wanted = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(named) - now
  return holdOf(Number.isNaN(wanted) ? sign.waitMs : wanted)
}

/** @returns the time for which a lane is held, whole ms, when it was told to wait for `wantedMs` */
export function holdOf(wantedMs: number): number {
  return Math.ceil(Math.min(longestHoldMs, Math.max(shortestHoldMs, wantedMs)))
}
