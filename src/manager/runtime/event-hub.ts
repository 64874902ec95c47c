import type { EventRecord } from '../../domain/ports/event-store.ts'
import type { JobStore } from '../../domain/ports/job-store.ts'
import type { CommitQueue } from './commit-queue.ts'

export type EventListener = (events: readonly EventRecord[]) => void

const pageSize = 500

/**
 * Tells listeners in this process what was committed, read from the outbox after each commit: so a listener never sees an event
 * whose transaction failed. It comes before spawns and answers; costs nothing while nobody listens.
 */
export class EventHub {
  readonly #store: JobStore
  readonly #listeners = new Set<EventListener>()
  #published = 0

  constructor(store: JobStore, commits: CommitQueue) {
    this.#store = store
    commits.addCommitListener(() => {
      if (this.#listeners.size > 0) this.#publish()
    })
  }

  /** @returns the function that ends the subscription. */
  subscribe(listener: EventListener): () => void {
    if (this.#listeners.size === 0) this.#published = this.#store.lastEventId()
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  get listeners(): number {
    return this.#listeners.size
  }

  #publish(): void {
    for (;;) {
      const events = this.#store.readEvents(this.#published, pageSize)
      const last = events.at(-1)
      if (last === undefined) return
      this.#published = last.id
      for (const listener of this.#listeners) listener(events)
      if (events.length < pageSize) return
    }
  }
}
