import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Clock } from '../../domain/clock.ts'
import type { Json, JsonObject } from '../../domain/job.ts'
import type { BatchEnd, EndFacts, HeldUnit, JobStore } from '../../domain/ports/job-store.ts'
import { fenceOf } from './command-task.ts'
import type { Commit, CommitQueue } from './commit-queue.ts'
import type { Claim } from './dispatcher.ts'

export interface InlineRunnerOptions {
  readonly store: JobStore
  readonly commits: CommitQueue
  readonly clock: Clock
  readonly log: Logger
  readonly params: (jobId: string) => JsonObject
  /** Computes the result of a unit at once, without waiting for anything. */
  readonly compute: (params: JsonObject, unit: Json) => Json
  /** @returns a way to take the slot back */
  readonly releaseSlot: (unitId: string) => () => void
  /** After the commit. */
  readonly onEnded: (end: BatchEnd) => void
}

const storageRetryMs = 250
const longestRetryMs = 5_000

/** Runs units of job types that need no processor: all of a claim are computed at once and end in one transaction. */
export class InlineRunner {
  readonly #options: InlineRunnerOptions
  readonly #held = new Set<string>()

  constructor(options: InlineRunnerOptions) {
    this.#options = options
  }

  get running(): number {
    return this.#held.size
  }

  holds(unitId: string): boolean {
    return this.#held.has(unitId)
  }

  /** Starts claimed units; their claim is committed. */
  start(claims: readonly Claim[]): void {
    for (const { unit } of claims) this.#held.add(unit.id)
    void this.#finish(
      claims.map(({ unit }) => unit.id),
      (commit) => this.#end(claims, commit),
    )
  }

  /** An attempt of an earlier manager died with it, and did nothing outside: it is given back unharmed. */
  adopt({ fence }: HeldUnit): void {
    this.#held.add(fence.unitId)
    void this.#finish([fence.unitId], () => {
      this.#options.store.releaseUnitIfHeld(fence, this.#facts())
      this.#options.releaseSlot(fence.unitId)
    })
  }

  #end(claims: readonly Claim[], commit: Commit): void {
    const { store, params, compute, releaseSlot, onEnded } = this.#options
    const jobParams = params(claims[0]?.job.id ?? '')
    const inputs = store.readUnitInputs(claims.map(({ unit }) => unit.id))
    const ends = claims.map(({ unit }) => ({
      fence: fenceOf(unit),
      output: compute(jobParams, inputs.get(unit.id) ?? null),
    }))
    for (const end of store.completeUnitsIfHeld(ends, this.#facts())) commit.afterCommit(() => onEnded(end))
    // Those whose lease was lost free their slots too.
    for (const { unit } of claims) commit.afterFailure(releaseSlot(unit.id))
  }

  /** Tries until the storage takes it. */
  async #finish(unitIds: readonly string[], work: (commit: Commit) => void): Promise<void> {
    const { commits, log } = this.#options
    for (let round = 1; ; round += 1) {
      try {
        await commits.run(work)
        for (const id of unitIds) this.#held.delete(id)
        return
      } catch (error) {
        log.error({ err: error, units: unitIds.length, round }, 'outcomes could not be recorded yet')
        await delay(Math.min(longestRetryMs, storageRetryMs * round))
      }
    }
  }

  #facts(): EndFacts {
    const now = this.#options.clock.now()
    return { exitCode: null, error: null, elapsedMs: 0, outputBytes: 0, droppedBytes: 0, now }
  }
}
