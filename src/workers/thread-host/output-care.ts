import { join } from 'node:path'
import type { OutputFacts } from '../../domain/ports/attempt.ts'
import { isPassing, sizeOf } from '../attempt-access.ts'
import type { ExecutorLog } from '../executor-context.ts'
import { createOutputKeeper, type OutputKeeper } from '../output-keeper.ts'
import { type OutputLimits, outputLimits } from '../output-limits.ts'
import { outputFacts } from '../output-tail.ts'
import { aheadBytes, attemptNames } from './attempt-names.ts'

const tries = 20
const pauseMs = 100

/** Keeps the output of one attempt short while it is written, and lets its writer go on as far as there is room. */
export class OutputCare {
  readonly #file: string
  readonly #keeper: OutputKeeper
  readonly #limits: OutputLimits
  #lastSize = 0
  #wasShortened = false
  #isFast = false

  constructor(directory: string, maxOutputBytes: number, log: ExecutorLog) {
    this.#file = join(directory, attemptNames.output)
    this.#keeper = createOutputKeeper(directory, maxOutputBytes, { bytes: () => undefined }, log)
    this.#limits = outputLimits(maxOutputBytes)
  }

  /** True when it should be looked at more often. */
  get isFast(): boolean {
    return this.#isFast
  }

  /**
   * Nobody should write meanwhile: what is written while it is shortened may be lost uncounted.
   * @returns bytes that may be written before the next look; 0 while it is shortened
   */
  look(): number {
    try {
      this.#isFast = this.#keeper.look().fast
    } catch {
      // Without a descriptor it is not shortened now; its writer waits.
      return 0
    }
    return this.#isTooLong ? 0 : aheadBytes
  }

  /** True while it is shortened. */
  get #isTooLong(): boolean {
    const size = sizeOf(this.#file, this.#lastSize)
    if (size < this.#lastSize) this.#wasShortened = true
    this.#lastSize = size
    return size > (this.#wasShortened ? this.#limits.laterLiveBytes : this.#limits.firstLiveBytes)
  }

  /** Nobody writes any more: brings it under its cap and onto the disk. */
  finish(): Promise<void> {
    return this.#keeper.finish()
  }
}

/** @returns what is known of the output of an attempt whose thread is gone; tries again while there is no descriptor for it */
export async function factsOfOutput(directory: string): Promise<OutputFacts> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await outputFacts(directory)
    } catch (error) {
      if (!isPassing(error) || tried === tries) return { bytes: 0, droppedBytes: 0, tail: '' }
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }
}
