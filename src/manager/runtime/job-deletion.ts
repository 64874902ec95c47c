import type { Clock } from '../../domain/clock.ts'
import type { AttemptName, PruningRecord } from '../../domain/ports/history-store.ts'
import type { JobStore } from '../../domain/ports/job-store.ts'
import type { CommitQueue } from './commit-queue.ts'

/** A transaction deletes no more than this, and begins no further job after this long: a call waits for it at most 20 ms. */
const mostUnits = 100
const longestMs = 8

export interface JobDeletionOptions {
  readonly store: JobStore
  readonly commits: CommitQueue
  readonly clock: Clock
  readonly log: { warn(details: object, message: string): void }
  readonly removeAttempts: (attempts: readonly AttemptName[]) => Promise<unknown>
}

export interface Deleted {
  /** Ids of the jobs that are gone. */
  readonly ids: readonly string[]
  readonly bytes: number
}

/** Deletes final jobs in short transactions, and the files of their attempts after each. */
export class JobDeletion {
  readonly #options: JobDeletionOptions

  constructor(options: JobDeletionOptions) {
    this.#options = options
  }

  /**
   * Unknown and unfinished jobs are passed over. A deletion that was begun is gone on with by retention, also after a crash.
   * @param rule why, when retention deletes: recorded in the same transaction
   * @param mayGoOn asked between two transactions
   */
  async deleteJobs(
    jobIds: readonly string[],
    rule: PruningRecord['rule'] | null = null,
    mayGoOn: () => boolean = () => true,
  ): Promise<Deleted> {
    const { commits, log, removeAttempts } = this.#options
    const waiting = [...jobIds]
    const ids: string[] = []
    let bytes = 0
    while (waiting.length > 0 && mayGoOn()) {
      const slice = await commits.run(() => this.#deleteSlice(waiting, rule))
      waiting.splice(0, slice.passed)
      ids.push(...slice.ids)
      bytes += slice.bytes
      await removeAttempts(slice.attempts).catch((error: unknown) =>
        log.warn({ err: error }, 'files of deleted jobs were left; they are removed later'),
      )
    }
    return { ids, bytes }
  }

  #deleteSlice(waiting: readonly string[], rule: PruningRecord['rule'] | null) {
    const { store, clock } = this.#options
    const deadline = clock.monotonic() + longestMs
    const slice = { passed: 0, ids: [] as string[], bytes: 0, attempts: [] as AttemptName[] }
    let units = 0
    for (const id of waiting) {
      const deleted = store.deleteJobSlice(id, mostUnits - units)
      if (deleted !== null) {
        units += deleted.units
        slice.bytes += deleted.bytes
        slice.attempts.push(...deleted.attempts)
        if (deleted.done) slice.ids.push(id)
      }
      if (deleted === null || deleted.done) slice.passed += 1
      if (units >= mostUnits || clock.monotonic() > deadline) break
    }
    const { bytes } = slice
    if (rule !== null && (slice.ids.length > 0 || bytes > 0)) {
      store.recordPruning({ at: clock.now(), jobs: slice.ids.length, bytes, rule })
    }
    return slice
  }
}
