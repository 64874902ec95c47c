import { type FileHandle, open, rm } from 'node:fs/promises'
import { dirname, isAbsolute } from 'node:path'
import { QueueError } from '../../domain/errors.ts'

/** More is not held before it is written. */
const bufferedBytes = 256 * 1024
const previewBytes = 2_000

/** A new file, 0600, written in pieces; its beginning is remembered. */
export class ExportFile {
  readonly path: string
  readonly #handle: FileHandle
  #buffered: string[] = []
  #bufferedBytes = 0
  #bytes = 0
  #preview = ''

  private constructor(path: string, handle: FileHandle) {
    this.path = path
    this.#handle = handle
  }

  /** @throws QueueError invalid_input when the path is not absolute, is taken, or cannot be made */
  static async create(path: string): Promise<ExportFile> {
    if (!isAbsolute(path))
      throw new QueueError('invalid_input', `file "${path}" is not an absolute path`, {
        remedy:
          'Give an absolute path; or leave file out: it is written into the state directory and the answer says where.',
      })
    try {
      return new ExportFile(path, await open(path, 'wx', 0o600))
    } catch (error) {
      throw new QueueError('invalid_input', `file ${path} cannot be made: ${reason(error, path)}`, { cause: error })
    }
  }

  get bytes(): number {
    return this.#bytes
  }

  /** The first lines, under 2 KB; the first of them is cut when it alone is longer. */
  get preview(): string {
    return this.#preview
  }

  async write(text: string): Promise<void> {
    const bytes = Buffer.byteLength(text)
    this.#keepPreview(text, bytes)
    this.#bytes += bytes
    this.#buffered.push(text)
    this.#bufferedBytes += bytes
    if (this.#bufferedBytes >= bufferedBytes) await this.#flush()
  }

  async close(): Promise<void> {
    await this.#flush()
    await this.#handle.sync()
    await this.#handle.close()
  }

  /** Removes what was written: half an export is none. */
  async abandon(): Promise<void> {
    await this.#handle.close().catch(() => undefined)
    await rm(this.path, { force: true })
  }

  #keepPreview(text: string, bytes: number): void {
    // Only lines from the beginning on: after the first that does not fit none is taken.
    if (this.#bytes !== Buffer.byteLength(this.#preview)) return
    if (this.#bytes + bytes <= previewBytes) this.#preview += text
    else if (this.#preview === '') this.#preview = Buffer.from(text).subarray(0, previewBytes).toString('utf8')
  }

  async #flush(): Promise<void> {
    const text = this.#buffered.join('')
    this.#buffered = []
    this.#bufferedBytes = 0
    if (text === '') return
    try {
      await this.#handle.writeFile(text)
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error
      throw new QueueError('storage_full', `there is no space left for ${this.path}`, { cause: error })
    }
  }
}

function reason(error: unknown, path: string): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EEXIST':
      return 'it exists, and nothing is overwritten'
    case 'ENOENT':
      return `there is no directory ${dirname(path)}`
    default:
      return (error as Error).message
  }
}
