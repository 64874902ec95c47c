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
    const seconds = Math.max(0, (1 - this.#last.share) / pace - sinceLast) / 1000
    const round = (value: number) => Math.round(value * 10) / 10
    return {
      seconds: round(seconds),
      low_seconds: round(seconds / rangeFactor),
      high_seconds: round(seconds * rangeFactor),
      reason: null,
    }
  }
}
