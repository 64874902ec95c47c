import type { JobStore } from '../../domain/ports/job-store.ts'
import type { CommitQueue } from './commit-queue.ts'

/** The outbox keeps this many events (DESIGN §10.15). */
const keptEvents = 100_000
/** A slice stays short, so that no call waits for it. */
const sliceSize = 2_000
const periodMs = 60_000

/** Deletes old events in slices; does nothing while there are few. */
export class EventPruner {
  readonly #store: JobStore
  readonly #commits: CommitQueue

  constructor(store: JobStore, commits: CommitQueue) {
    this.#store = store
    this.#commits = commits
  }

  start(): void {
    setInterval(() => void this.#prune(), periodMs).unref()
  }

  async #prune(): Promise<void> {
    const first = this.#store.firstEventId()
    if (first === 0 || this.#store.lastEventId() - first < keptEvents) return
    const pruned = await this.#commits.run(() => this.#store.pruneEvents(keptEvents, sliceSize)).catch(() => 0)
    if (pruned === sliceSize) setImmediate(() => void this.#prune())
  }
}
