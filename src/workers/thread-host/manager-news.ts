import type { Progress } from '../../domain/job.ts'
import type { Device } from '../../domain/wire/prediction.ts'
import type { ToManager } from '../threads/protocol.ts'
import type { EndBook } from './end-book.ts'
import type { HostServer } from './host-server.ts'

interface ProgressItem {
  readonly key: string
  readonly progress: Progress
  readonly elapsed_ms: number
}

/** Ends in one message, about. */
const messageBytes = 4 * 1024 * 1024
/** A manager that is so far behind is told nothing more until it has read. */
const backlogBytes = 16 * 1024 * 1024
const retryMs = 20

/** What the manager has not been told yet: everything of one moment goes into one frame. */
export class ManagerNews {
  readonly #server: HostServer
  readonly #book: EndBook
  readonly #progress = new Map<string, ProgressItem>()
  readonly #devices = new Map<string, Device>()
  #ends: string[] = []
  #isPlanned = false

  constructor(server: HostServer, book: EndBook) {
    this.#server = server
    this.#book = book
  }

  /** @param text an EndedAttempt as JSON */
  ended(key: string, text: string): void {
    this.#book.add(key, text)
    this.#ends.push(text)
    this.#plan()
  }

  /** The newest progress of an attempt wins. */
  progressed(key: string, progress: Progress, elapsedMs: number): void {
    if (!this.#server.isConnected) return
    this.#progress.set(key, { key, progress, elapsed_ms: elapsedMs })
    this.#plan()
  }

  /** Told before the end of the attempt. */
  computesOn(key: string, device: Device): void {
    if (!this.#server.isConnected) return
    this.#devices.set(key, device)
    this.#plan()
  }

  /** Somebody listens who has heard nothing: every end is told again. */
  tellAll(): void {
    this.#ends = this.#book.texts()
    this.#plan()
  }

  /** Tells what is new, or writes it down when nobody listens. */
  flush(): void {
    this.#isPlanned = false
    if (!this.#server.isConnected) {
      this.#devices.clear()
      this.#progress.clear()
      this.#ends = []
      this.#book.write()
      return
    }
    if (this.#server.backlogBytes > backlogBytes) {
      this.#plan(retryMs)
      return
    }
    const messages: string[] = []
    if (this.#devices.size > 0) {
      const items = Array.from(this.#devices, ([key, device]) => ({ key, device }))
      messages.push(JSON.stringify({ kind: 'device', items } satisfies ToManager))
      this.#devices.clear()
    }
    if (this.#progress.size > 0)
      messages.push(JSON.stringify({ kind: 'progress', items: [...this.#progress.values()] }))
    this.#progress.clear()
    for (let first = 0, at = 0, bytes = 0; first < this.#ends.length; ) {
      bytes += this.#ends[at]?.length ?? 0
      at += 1
      if (at < this.#ends.length && bytes < messageBytes) continue
      messages.push(`{"kind":"ended","items":[${this.#ends.slice(first, at).join(',')}]}`)
      first = at
      bytes = 0
    }
    this.#ends = []
    if (messages.length > 0) this.#server.send(messages)
  }

  #plan(ms = 0): void {
    if (this.#isPlanned) return
    this.#isPlanned = true
    if (ms === 0) setImmediate(() => this.flush())
    else setTimeout(() => this.flush(), ms)
  }
}
