import { closeSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'

export const ballastBytes = 2 * 1024 * 1024

/**
 * A file that can be given up: on a full disk even DELETE and checkpoints fail, and running jobs still have results to store
 * (reliability D15).
 */
export class Ballast {
  readonly #file: string

  constructor(file: string) {
    this.#file = file
  }

  isInPlace(): boolean {
    return statSync(this.#file, { throwIfNoEntry: false })?.size === ballastBytes
  }

  /** Frees its space. @returns false when there was none left to free */
  release(): boolean {
    const wasInPlace = this.isInPlace()
    rmSync(this.#file, { force: true })
    return wasInPlace
  }

  /** Makes it if it is missing. @returns false while the disk has no room for it */
  restore(): boolean {
    if (this.isInPlace()) return true
    const partial = `${this.#file}.partial`
    try {
      writeWhole(partial)
      renameSync(partial, this.#file)
      return true
    } catch (thrown) {
      rmSync(partial, { force: true })
      const code = (thrown as NodeJS.ErrnoException).code
      if (code === 'ENOSPC' || code === 'EDQUOT') return false
      throw thrown
    }
  }
}

function writeWhole(file: string): void {
  const descriptor = openSync(file, 'w', 0o600)
  try {
    // Random bytes would be needed against a compressing file system; a pattern defeats holes, which is the common case.
    const block = Buffer.alloc(64 * 1024, 'nightkiln ballast ')
    for (let written = 0; written < ballastBytes; written += block.length) writeSync(descriptor, block)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
