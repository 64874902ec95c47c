import type { Priority } from '../../domain/states.ts'

export interface ReadyJob {
  readonly jobId: string
  readonly seq: number
  readonly priority: Priority
  /** Wall ms when its next unit may be claimed. */
  readonly dueAt: number
}

/** A binary heap by a comparison; the usual array form. */
class Heap<T> {
  readonly #items: T[] = []
  readonly #before: (left: T, right: T) => boolean

  constructor(before: (left: T, right: T) => boolean) {
    this.#before = before
  }

  get first(): T | undefined {
    return this.#items[0]
  }

  get size(): number {
    return this.#items.length
  }

  push(item: T): void {
    const items = this.#items
    let index = items.push(item) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!this.#before(item, items[parent] as T)) break
      items[index] = items[parent] as T
      index = parent
    }
    items[index] = item
  }

  pop(): T | undefined {
    const items = this.#items
    const first = items[0]
    const last = items.pop()
    if (first === undefined || last === undefined || items.length === 0) return first
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= items.length) break
      if (child + 1 < items.length && this.#before(items[child + 1] as T, items[child] as T)) child += 1
      if (!this.#before(items[child] as T, last)) break
      items[index] = items[child] as T
      index = child
    }
    items[index] = last
    return first
  }
}

/**
 * Jobs that may have a unit to claim, in running order, and those that will later. A hint only: every claim is a compare-and-set
 * in the database, so a stale entry costs one statement and a missing one is added by the change that makes it claimable.
 */
export class ReadyIndex {
  readonly #ready = new Heap<ReadyJob>((left, right) =>
    left.priority === right.priority ? left.seq < right.seq : left.priority < right.priority,
  )
  readonly #later = new Heap<ReadyJob>((left, right) => left.dueAt < right.dueAt)
  /** The valid entry of each job; heap items that are no longer it are skipped. */
  readonly #current = new Map<string, ReadyJob>()

  /** Adds or moves a job. */
  offer(job: ReadyJob, now: number): void {
    const known = this.#current.get(job.jobId)
    if (known !== undefined && known.dueAt <= job.dueAt) return
    this.#current.set(job.jobId, job)
    if (job.dueAt <= now) this.#ready.push(job)
    else this.#later.push(job)
  }

  /** @returns the first job in running order, without removing it. */
  peek(now: number): ReadyJob | undefined {
    for (let item = this.#later.first; item !== undefined && item.dueAt <= now; item = this.#later.first) {
      this.#later.pop()
      if (this.#current.get(item.jobId) === item) this.#ready.push(item)
    }
    for (let item = this.#ready.first; item !== undefined; item = this.#ready.first) {
      if (this.#current.get(item.jobId) === item) return item
      this.#ready.pop()
    }
    return undefined
  }

  remove(jobId: string): void {
    this.#current.delete(jobId)
  }

  /** @returns wall ms of the next job that becomes due, or null. */
  nextDueAt(): number | null {
    for (let item = this.#later.first; item !== undefined; item = this.#later.first) {
      if (this.#current.get(item.jobId) === item) return item.dueAt
      this.#later.pop()
    }
    return null
  }

  get size(): number {
    return this.#current.size
  }
}
