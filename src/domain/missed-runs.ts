import type { MissedPolicy } from './states.ts'

/** A run this late is on time: the event loop was busy, or the manager was replaced. In ms. */
export const onTimeMs = 60_000
/** With the policy "all" so many due times are caught up at most. */
export const mostCaughtUp = 100

/** What becomes of due times that have come; all missed ones are older than those that run. */
export interface MissedPlan {
  readonly missed: readonly number[]
  readonly run: readonly number[]
}

/**
 * Decides about due times that have come. When all of them are on time, all run. Else something could not run in time, and the
 * policy decides about all: "once" runs the latest, "all" the newest hundred, "skip" those that are on time.
 * @param times ascending, none after `now`; wall ms
 */
export function planDueTimes(times: readonly number[], now: number, policy: MissedPolicy): MissedPlan {
  const toleranceMs = Math.min(onTimeMs, shortestGap(times) / 2)
  const onTime = times.filter((time) => now - time <= toleranceMs).length
  const running = onTime === times.length ? onTime : { once: 1, all: mostCaughtUp, skip: onTime }[policy]
  const at = Math.max(0, times.length - running)
  return { missed: times.slice(0, at), run: times.slice(at) }
}

/** With a short interval half of it: two due times that wait together are never both on time. */
function shortestGap(times: readonly number[]): number {
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? time))
  return Math.min(Number.POSITIVE_INFINITY, ...gaps.slice(-mostCaughtUp))
}
