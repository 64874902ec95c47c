import type { Clock } from '../../domain/clock.ts'
import type { Json, JsonObject } from '../../domain/job.ts'
import type { BatchEnd, JobStore } from '../../domain/ports/job-store.ts'
import { fenceOf } from './command-task.ts'
import type { Commit } from './commit-queue.ts'
import type { Claim } from './pool.ts'

export interface InlineRunnerOptions {
  readonly store: JobStore
  readonly clock: Clock
  /** Computes the result of a unit at once, without waiting for anything; never throws. */
  readonly compute: (params: JsonObject, unit: Json) => Json
  /** After the commit. */
  readonly onEnded: (end: BatchEnd) => void
}

/**
 * Runs units of job types that need no processor: in the transaction that claims them, so that one commit takes them from
 * available to their end and none is ever seen, or left by a killed manager, in between.
 */
export class InlineRunner {
  readonly #options: InlineRunnerOptions

  constructor(options: InlineRunnerOptions) {
    this.#options = options
  }

  /** Ends claimed units of one job in the transaction of their claim. */
  run(claims: readonly Claim[], commit: Commit): void {
    const { store, clock, compute, onEnded } = this.#options
    const params = store.readJobPayload(claims[0]?.job.id ?? '')?.params ?? {}
    const inputs = store.readUnitInputs(claims.map(({ unit }) => unit.id))
    const ends = claims.map(({ unit }) => ({
      fence: fenceOf(unit),
      output: compute(params, inputs.get(unit.id) ?? null),
      elapsedMs: 0,
      outputBytes: 0,
      droppedBytes: 0,
    }))
    for (const end of store.completeUnitsIfHeld(ends, clock.now())) commit.afterCommit(() => onEnded(end))
  }
}
