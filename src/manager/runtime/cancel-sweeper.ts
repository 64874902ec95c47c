import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Clock } from '../../domain/clock.ts'
import type { JobStore } from '../../domain/ports/job-store.ts'
import type { CommitQueue } from './commit-queue.ts'

export interface CancelSweeperOptions {
  readonly store: JobStore
  readonly commits: CommitQueue
  readonly clock: Clock
  readonly log: Logger
}

/** Held by one commit for some ms. */
const sliceUnits = 2_000
const retryMs = 1_000
const mostAtStart = 1_000

/** Cancels the rest of large cancelled jobs in short transactions: nothing of them starts any more, they only have to end. */
export class CancelSweeper {
  readonly #options: CancelSweeperOptions
  readonly #busy = new Set<string>()
  #stopped = false

  constructor(options: CancelSweeperOptions) {
    this.#options = options
  }

  /** Goes on with what an earlier manager left. */
  start(): void {
    for (const jobId of this.#options.store.readCancellingJobs(mostAtStart)) this.sweep(jobId)
  }

  sweep(jobId: string): void {
    if (this.#busy.has(jobId)) return
    this.#busy.add(jobId)
    void this.#run(jobId).finally(() => this.#busy.delete(jobId))
  }

  stop(): void {
    this.#stopped = true
  }

  async #run(jobId: string): Promise<void> {
    const { store, commits, clock, log } = this.#options
    while (!this.#stopped) {
      try {
        if (!(await commits.run(() => store.cancelMoreUnits(jobId, sliceUnits, clock.now())))) return
      } catch (error) {
        log.warn({ err: error, jobId }, 'units of a cancelled job could not be cancelled; trying again')
        await delay(retryMs)
      }
    }
  }
}
