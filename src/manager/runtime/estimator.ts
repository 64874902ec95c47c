import type { Progress } from '../../domain/job.ts'

export interface Estimate {
  readonly seconds: number | null
  readonly low_seconds: number | null
  readonly high_seconds: number | null
  readonly reason: string | null
}

/** Fewer samples say nothing (DESIGN §10.18). */
const fewestSamples = 3
/** Half of the widest range allowed (3 ×), on a logarithmic scale. */
const rangeFactor = Math.sqrt(3)

/**
 * Estimates the time left of one attempt from its progress: the share that remains, at the pace since the first sample.
 * Times are awake monotonic ms.
 */
export class Estimator {
  #first: { at: number; share: number } | null = null
  #last: { at: number; share: number } | null = null
  #samples = 0

  /** Takes one progress report; those without a total or without a step forward are ignored. */
  add(progress: Progress, at: number): void {
    if (progress.total === null || progress.total <= 0) return
    const share = Math.min(1, Math.max(0, progress.current / progress.total))
    if (this.#last !== null && share <= this.#last.share) return
    this.#first ??= { at, share }
    this.#last = { at, share }
    this.#samples += 1
  }

  estimate(now: number): Estimate {
    const none = (reason: string): Estimate => ({ seconds: null, low_seconds: null, high_seconds: null, reason })
    if (this.#first === null || this.#last === null) return none('it has not reported measurable progress')
    if (this.#samples < fewestSamples) return none(`${this.#samples} of ${fewestSamples} progress reports needed`)
    const pace = (this.#last.share - this.#first.share) / Math.max(1, this.#last.at - this.#first.at)
    const sinceLast = Math.max(0, now - this.#last.at)
    const left = (1 - this.#last.share) / pace
    if (sinceLast > left && this.#last.share < 1) return none('no progress for longer than the rest should take')
    const seconds = Math.max(0, left - sinceLast) / 1000
    const round = (value: number) => Math.round(value * 10) / 10
    return {
      seconds: round(seconds),
      low_seconds: round(seconds / rangeFactor),
      high_seconds: round(seconds * rangeFactor),
      reason: null,
    }
  }
}

/**
 * Estimates the time left of a run from how long the same work took before.
 * @param earlierMs durations of earlier runs
 * @returns null with fewer than 3 of them
 */
export function estimateFromEarlier(earlierMs: readonly number[], elapsedMs: number): Estimate | null {
  if (earlierMs.length < fewestSamples) return null
  const sorted = [...earlierMs].sort((left, right) => left - right)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
  const left = (ms: number) => Math.round(Math.max(0, ms - elapsedMs) / 100) / 10
  const middle = at(0.5)
  if (elapsedMs > 2 * (sorted.at(-1) ?? 0)) {
    const reason = 'it runs much longer than any earlier run of the same work'
    return { seconds: null, low_seconds: null, high_seconds: null, reason }
  }
  return {
    seconds: left(middle),
    low_seconds: left(Math.max(at(0.1), middle / rangeFactor)),
    high_seconds: left(Math.min(at(0.9), middle * rangeFactor)),
    reason: null,
  }
}
