import type { Progress } from '../../../domain/job.ts'
import { cleanMessage } from '../../progress/clean-line.ts'
import { isFiniteNumber, monotonicMs, startTimer, stopTimer } from './intrinsics.ts'

const tellEveryMs = 100

/** Progress of one attempt: told ten times a second at most, its last value always. */
export class ProgressReporter {
  readonly #tell: (progress: Progress) => void
  #latest: Progress | null = null
  #toldAt = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | null = null

  constructor(tell: (progress: Progress) => void) {
    this.#tell = tell
  }

  /** A value that is no number is passed over: a unit must not fail because of what is for people only. */
  report(current: number, total: number | null, message: string | null, stage: string | null): void {
    if (!isFiniteNumber(current)) return
    this.#latest = { current, total, message, stage }
    const waitMs = this.#toldAt + tellEveryMs - monotonicMs()
    if (waitMs <= 0) this.flush()
    else this.#timer ??= startTimer(() => this.flush(), waitMs)
  }

  /** Tells what has not been told. */
  flush(): void {
    if (this.#timer !== null) stopTimer(this.#timer)
    this.#timer = null
    if (this.#latest === null) return
    const { current, total, message, stage } = this.#latest
    this.#latest = null
    this.#toldAt = monotonicMs()
    this.#tell({
      current,
      total: isFiniteNumber(total) ? total : null,
      message: cleanText(message),
      stage: cleanText(stage),
    })
  }
}

function cleanText(text: string | null): string | null {
  return text === null || text === undefined ? null : cleanMessage(String(text))
}
