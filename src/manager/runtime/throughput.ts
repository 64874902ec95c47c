import type { Clock } from '../../domain/clock.ts'
import type { Job } from '../../domain/job.ts'
import type { Estimate } from './estimator.ts'

/** Ends that the pace is read from. */
const samplesKept = 200
/** Fewer samples say nothing (DESIGN §10.18). */
const fewestSamples = 3
/** The widest range is this factor on both sides: high / low = 3. */
const widestFactor = Math.sqrt(3)
/**
 * How many standard deviations the range spans on each side: 1.28 hold 80 % of a normal distribution whose spread is known; here
 * it is itself an estimate, and the lower side of a factor is narrower than the upper.
 */
const deviations = 1.6

interface Pace {
  /** Monotonic ms of the last unit ends, oldest first; time in which the job was paused is left out. */
  ends: number[]
  /** Time that does not count, so far. */
  pausedMs: number
  pausedAt: number | null
}

/**
 * Estimates the time left of jobs with several units from the pace at which their units ended. Kept in memory: a new manager
 * has an estimate again after the first ends that it sees.
 */
export class Throughput {
  readonly #clock: Clock
  readonly #paces = new Map<string, Pace>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Units of the job have ended. */
  ended(job: Job, count = 1): void {
    if (job.counts.total < 2 && job.sealedAt !== null) return
    if (job.finishedAt !== null) {
      this.#paces.delete(job.id)
      return
    }
    const pace = this.#paceOf(job.id)
    const at = this.#awake(pace)
    for (let each = 0; each < count; each += 1) pace.ends.push(at)
    if (pace.ends.length > 2 * samplesKept) pace.ends = pace.ends.slice(-samplesKept)
  }

  paused(jobId: string): void {
    const pace = this.#paceOf(jobId)
    pace.pausedAt ??= this.#clock.monotonic()
  }

  resumed(jobId: string): void {
    const pace = this.#paces.get(jobId)
    if (pace?.pausedAt == null) return
    pace.pausedMs += this.#clock.monotonic() - pace.pausedAt
    pace.pausedAt = null
  }

  /** @param waiting units that its sources will still add */
  estimate(job: Job, waiting: number): Estimate {
    const none = (reason: string): Estimate => ({ seconds: null, low_seconds: null, high_seconds: null, reason })
    if (job.keepOpen && job.sealedAt === null) return none('units may still be added')
    const left = job.counts.available + job.counts.running + waiting
    const ends = (this.#paces.get(job.id)?.ends ?? []).slice(-samplesKept)
    const first = ends[0]
    const last = ends.at(-1)
    if (ends.length < fewestSamples || first === undefined || last === undefined) {
      return none(`${ends.length} of ${fewestSamples} ended units needed`)
    }
    const gaps = ends.slice(1).map((end, index) => end - (ends[index] ?? end))
    const mean = Math.max(0.01, (last - first) / gaps.length)
    const seconds = (left * mean) / 1000
    // The sum of n gaps spreads with the root of n, and the mean itself is known only as well as its samples allow.
    const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length
    const spread = (deviations * Math.sqrt(variance) * Math.sqrt(1 / gaps.length + 1 / Math.max(1, left))) / mean
    const factor = Math.min(widestFactor, 1 + spread)
    const round = (value: number) => Math.round(value * 10) / 10
    return {
      seconds: round(seconds),
      low_seconds: round(seconds / factor),
      high_seconds: round(seconds * factor),
      reason: null,
    }
  }

  #awake({ pausedMs, pausedAt }: Pace): number {
    const now = this.#clock.monotonic()
    return now - pausedMs - (pausedAt === null ? 0 : now - pausedAt)
  }

  #paceOf(jobId: string): Pace {
    const known = this.#paces.get(jobId)
    if (known !== undefined) return known
    const made: Pace = { ends: [], pausedMs: 0, pausedAt: null }
    this.#paces.set(jobId, made)
    return made
  }
}
