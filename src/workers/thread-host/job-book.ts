import type { WireJob } from '../threads/protocol.ts'
import { type PackedText, packText } from './packed-text.ts'
import type { ThreadCode } from './thread-messages.ts'

/** Code that a thread can be made for; the same revision of the same file is the same code. */
export interface HostCode extends ThreadCode {
  readonly key: string
}

/** What the host knows of a job: enough for its main thread, and all of it packed for the threads. */
export interface HostJob extends Omit<WireJob, 'params' | 'dependencies' | 'handler'> {
  readonly code: HostCode
  readonly packed: PackedText
}

/** The jobs that the manager has declared. */
export class JobBook {
  readonly #jobs = new Map<string, HostJob>()

  declare(wire: WireJob): HostJob {
    const { params: _, dependencies: __, handler, ...rest } = wire
    const { type, file, revision, reusable, heap_megabytes: heapMegabytes } = handler
    const key = JSON.stringify([file, revision, reusable, heapMegabytes])
    const code = { key, type, file, reusable, heapMegabytes }
    const job = { ...rest, code, packed: packText(JSON.stringify(wire)) }
    this.#jobs.set(wire.job_key, job)
    return job
  }

  forget(keys: readonly string[]): void {
    for (const key of keys) this.#jobs.delete(key)
  }

  /** @returns the keys of all that were known */
  clear(): readonly string[] {
    const keys = [...this.#jobs.keys()]
    this.#jobs.clear()
    return keys
  }

  find(key: string): HostJob | undefined {
    return this.#jobs.get(key)
  }
}
