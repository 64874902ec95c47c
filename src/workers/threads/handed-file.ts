import { closeSync, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import { errorCode, replaceFile } from '../attempt-access.ts'

const rewriteBytes = 4 * 1024 * 1024

/**
 * Which attempts were handed to a host, a key a line: when manager and host are both gone, their successors know which attempts
 * may have run. Survives processes, not the machine: after a restart of it nothing here is proof.
 */
export class HandedFile {
  readonly #file: string
  #descriptor: number
  #bytes: number
  #limit = rewriteBytes

  /** @throws the system's error */
  constructor(file: string) {
    this.#file = file
    this.#descriptor = openSync(file, 'a', 0o600)
    this.#bytes = statSync(file).size
  }

  /**
   * To be called before they are handed over.
   * @param living all keys that must stay known, these included; asked for when the file has grown too long
   * @throws the system's error
   */
  add(keys: readonly string[], living: () => Iterable<string>): void {
    if (this.#bytes > this.#limit) {
      this.#rewrite(living())
      return
    }
    // The line break comes first: what a full disk cut off stays a line of its own.
    const text = `\n${keys.join('\n')}`
    this.#bytes += Buffer.byteLength(text)
    writeSync(this.#descriptor, text)
  }

  close(): void {
    closeSync(this.#descriptor)
  }

  #rewrite(keys: Iterable<string>): void {
    replaceFile(this.#file, [...keys].join('\n'))
    const descriptor = openSync(this.#file, 'a', 0o600)
    closeSync(this.#descriptor)
    this.#descriptor = descriptor
    this.#bytes = statSync(this.#file).size
    this.#limit = Math.max(rewriteBytes, 2 * this.#bytes)
  }
}

/**
 * @returns the keys of all attempts that were ever handed to the host, and maybe a piece of one; none when there is no file
 * @throws the system's error when it cannot be read now
 */
export function readHanded(file: string): ReadonlySet<string> {
  try {
    return new Set(readFileSync(file, 'utf8').split('\n'))
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return new Set()
    throw error
  }
}
