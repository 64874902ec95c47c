import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '../../domain/clock.ts'
import { errorKinds } from '../../domain/errors.ts'
import type { AttemptEnd } from '../../domain/ports/attempt.ts'

type Released = Extract<AttemptEnd, { kind: 'released' }>

export interface UnloadableHandlersOptions {
  readonly clock: Clock
  /** Looks at the handlers again: what is broken now starts nothing any more. */
  readonly lookAgain: () => Promise<void>
}

interface Series {
  times: number
  since: number
}

const mostInARow = 5
const windowMs = 60_000
const firstPauseMs = 500
/** Looked through for what is over when there are more. */
const manySeries = 1_000

/**
 * Ends of attempts whose handler could not be loaded: a file may be away or half written for a moment, so their units go back
 * and wait. One whose handler seems well each time and still cannot be loaded is given up in the end.
 */
export class UnloadableHandlers {
  readonly #options: UnloadableHandlersOptions
  readonly #series = new Map<string, Series>()

  constructor(options: UnloadableHandlersOptions) {
    this.#options = options
  }

  /** @returns the end to record, once the handlers have been looked at */
  async judge(unitId: string, end: Released): Promise<AttemptEnd> {
    const now = this.#options.clock.monotonic()
    const known = this.#series.get(unitId)
    const series = known !== undefined && now - known.since < windowMs ? known : { times: 0, since: now }
    series.times += 1
    if (series.times >= mostInARow) {
      this.#series.delete(unitId)
      return givenUp(end)
    }
    this.#forgetOld(now)
    this.#series.set(unitId, series)
    // Whatever is being written at this moment is given time.
    if (series.times > 1) await delay(firstPauseMs * 2 ** (series.times - 2))
    await this.#options.lookAgain()
    return end
  }

  /** It ended in another way. */
  forget(unitId: string): void {
    this.#series.delete(unitId)
  }

  #forgetOld(now: number): void {
    if (this.#series.size < manySeries) return
    for (const [unitId, { since }] of this.#series) if (now - since >= windowMs) this.#series.delete(unitId)
  }
}

function givenUp({ message, elapsedMs, checkpoint }: Released): AttemptEnd {
  return {
    kind: 'failed',
    error: {
      code: 'handler_unavailable',
      message: `${message} (${mostInARow} times in a row)`,
      remedy: errorKinds.handler_unavailable.remedy,
    },
    retry: 'policy',
    elapsedMs,
    output: { bytes: 0, droppedBytes: 0, tail: '' },
    ...(checkpoint === undefined ? {} : { checkpoint }),
  }
}
