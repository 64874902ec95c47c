import { appendFileSync, closeSync, fsyncSync, openSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomic } from '../../platform/atomic-file.ts'
import { hostFiles } from '../threads/host-files.ts'

interface KnownEnd {
  /** An EndedAttempt, as JSON. */
  readonly text: string
  isInFile: boolean
}

const rewriteBytes = 16 * 1024 * 1024

/** Ends that the manager has not acknowledged. They are in a file, too, while nobody would hear them. */
export class EndBook {
  readonly #file: string
  readonly #ends = new Map<string, KnownEnd>()
  #fileBytes = 0

  constructor(directory: string) {
    this.#file = join(directory, hostFiles.ends)
  }

  get size(): number {
    return this.#ends.size
  }

  has(key: string): boolean {
    return this.#ends.has(key)
  }

  keys(): Iterable<string> {
    return this.#ends.keys()
  }

  texts(): string[] {
    return [...this.#ends.values()].map((end) => end.text)
  }

  add(key: string, text: string): void {
    this.#ends.set(key, { text, isInFile: false })
  }

  acknowledge(keys: readonly string[]): void {
    for (const key of keys) this.#ends.delete(key)
    if (this.#fileBytes > 0 && this.#ends.size === 0) this.#truncate()
  }

  /**
   * Writes down what is not in the file yet; what cannot be written now is tried again the next time. Survives this process, not
   * the machine: after a restart nothing of it counts.
   * @param durable true: also forces it to the disk
   */
  write(durable = false): void {
    const missing = [...this.#ends.values()].filter((end) => !end.isInFile)
    const text = linesOf(missing)
    try {
      if (this.#fileBytes + text.length > rewriteBytes && this.#fileBytes > 2 * text.length) this.#rewrite()
      else if (text !== '') {
        appendFileSync(this.#file, text, { mode: 0o600 })
        this.#fileBytes += Buffer.byteLength(text)
      }
      for (const end of missing) end.isInFile = true
      if (durable && this.#fileBytes > 0) this.#sync()
    } catch {
      // A full disk: they are in memory still.
    }
  }

  /** Only what nobody has acknowledged. */
  #rewrite(): void {
    const text = linesOf([...this.#ends.values()])
    writeFileAtomic(this.#file, text)
    this.#fileBytes = Buffer.byteLength(text)
  }

  #truncate(): void {
    try {
      truncateSync(this.#file, 0)
      this.#fileBytes = 0
    } catch {
      // What it holds was acknowledged; it is read only when this process is gone.
    }
  }

  #sync(): void {
    const descriptor = openSync(this.#file, 'a', 0o600)
    try {
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
  }
}

function linesOf(ends: readonly KnownEnd[]): string {
  return ends.map((end) => `${end.text}\n`).join('')
}
