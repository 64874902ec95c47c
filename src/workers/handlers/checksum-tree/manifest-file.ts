import { closeSync, fdatasyncSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs'

const mostWaiting = 65_536

/** A list while it grows. */
export class ManifestFile {
  readonly path: string
  readonly #file: number
  #waiting = ''
  #length: number

  private constructor(path: string, file: number, length: number) {
    this.path = path
    this.#file = file
    this.#length = length
  }

  /** @returns an empty one */
  static create(path: string): ManifestFile {
    return new ManifestFile(path, openSync(path, 'w', 0o600), 0)
  }

  /** Opens what an earlier attempt left, cut to a length. @returns null when it is gone or shorter */
  static reopen(path: string, length: number): ManifestFile | null {
    let file: number
    try {
      file = openSync(path, 'r+')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
      throw error
    }
    if (fstatSync(file).size < length) {
      closeSync(file)
      return null
    }
    ftruncateSync(file, length)
    return new ManifestFile(path, file, length)
  }

  append(line: string): void {
    this.#waiting += line
    if (this.#waiting.length >= mostWaiting) this.#write()
  }

  /** @returns the length of what is on the disk now: everything that was appended */
  sync(): number {
    this.#write()
    fdatasyncSync(this.#file)
    return this.#length
  }

  close(): void {
    this.#write()
    closeSync(this.#file)
  }

  #write(): void {
    const bytes = Buffer.from(this.#waiting)
    this.#waiting = ''
    for (let written = 0; written < bytes.length; ) {
      written += writeSync(this.#file, bytes, written, bytes.length - written, this.#length + written)
    }
    this.#length += bytes.length
  }
}
