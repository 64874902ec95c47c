import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, lstatSync, readdirSync, readFileSync, rmSync, statfsSync } from 'node:fs'
import { copyFile, link, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { largestFileBytes } from '../../domain/wire/prediction.ts'
import { Refused } from '../refused.ts'

export interface FileStoreLimits {
  /** Of all files together. */
  readonly totalBytes: number
  /** So much stays free on the disk. */
  readonly freeBytes: number
}

export const defaultFileLimits: FileStoreLimits = { totalBytes: 32 * 1024 ** 3, freeBytes: 512 * 1024 ** 2 }

const hashName = /^[0-9a-f]{64}$/
const busyS = 30

/** Files by the hash of their content, for inputs and results that are too large to be inline. */
export class FileStore {
  readonly #folder: string
  readonly #limits: FileStoreLimits
  #bytes = 0
  /** Of uploads that are on their way. */
  #incoming = 0

  constructor(folder: string, limits: FileStoreLimits = defaultFileLimits) {
    this.#folder = folder
    this.#limits = limits
  }

  /** Forgets what an earlier process left half. */
  open(): void {
    for (const name of readdirSync(this.#folder)) {
      if (!hashName.test(name)) rmSync(join(this.#folder, name), { force: true, recursive: true })
      else this.#bytes += this.sizeOf(name) ?? 0
    }
  }

  /** @returns bytes; null when it is not there */
  sizeOf(hash: string): number | null {
    const stats = lstatSync(join(this.#folder, hash), { throwIfNoEntry: false })
    return stats?.isFile() === true ? stats.size : null
  }

  stream(hash: string): Readable {
    return createReadStream(join(this.#folder, hash))
  }

  /** @throws Refused file_missing, too_large */
  readText(hash: string, maxBytes: number, what: string): string {
    const size = this.sizeOf(hash)
    if (size === null)
      throw new Refused('file_missing', `the file ${hash} (${what}) is not here: PUT /files/${hash} first`)
    if (size > maxBytes) throw new Refused('too_large', `${what} is ${size} bytes; at most ${maxBytes} are taken`)
    return readFileSync(join(this.#folder, hash), 'utf8')
  }

  /**
   * Takes a file as it comes; memory stays flat.
   * @param declared what the sender says of its length; null: nothing
   * @throws Refused hash_differs, too_large, busy
   */
  async receive(hash: string, chunks: AsyncIterable<Uint8Array>, declared: number | null): Promise<void> {
    if (declared !== null && declared > largestFileBytes) throw tooLarge(declared)
    if (declared !== null) this.assertRoom(declared)
    const temporary = join(this.#folder, `${hash}.${randomUUID()}.tmp`)
    const handle = await open(temporary, 'wx', 0o600)
    const digest = createHash('sha256')
    let bytes = 0
    try {
      for await (const chunk of chunks) {
        bytes += chunk.length
        this.#incoming += chunk.length
        if (bytes > largestFileBytes) throw tooLarge(bytes)
        this.assertRoom(0)
        digest.update(chunk)
        await handle.writeFile(chunk)
      }
      const found = digest.digest('hex')
      if (found !== hash) throw new Refused('hash_differs', `the content has the SHA-256 ${found}, not ${hash}`)
      await handle.sync()
      await handle.close()
      await this.#settle(temporary, hash, bytes)
    } catch (error) {
      await handle.close().catch(() => undefined)
      await rm(temporary, { force: true })
      throw error
    } finally {
      this.#incoming -= bytes
    }
  }

  /** Keeps a text; durable. @returns its hash */
  async keepText(text: string): Promise<string> {
    const hash = createHash('sha256').update(text).digest('hex')
    if (this.sizeOf(hash) !== null) return hash
    const temporary = join(this.#folder, `${hash}.${randomUUID()}.tmp`)
    const handle = await open(temporary, 'wx', 0o600)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await this.#settle(temporary, hash, Buffer.byteLength(text))
    return hash
  }

  /** Keeps a file of an attempt that has ended, without a copy where the file system can. */
  async keepFile(path: string, hash: string): Promise<void> {
    if (this.sizeOf(hash) !== null) return
    const temporary = join(this.#folder, `${hash}.${randomUUID()}.tmp`)
    await link(path, temporary).catch(() => copyFile(path, temporary))
    await this.#settle(temporary, hash, lstatSync(temporary).size)
  }

  /** Removes those that are older than `ageMs` and that nobody `names`. */
  sweep(now: number, ageMs: number, names: (hash: string) => boolean): void {
    for (const name of readdirSync(this.#folder)) {
      const stats = lstatSync(join(this.#folder, name), { throwIfNoEntry: false })
      if (stats === undefined || !hashName.test(name) || now - stats.mtimeMs < ageMs || names(name)) continue
      this.remove(name)
    }
  }

  remove(hash: string): void {
    const size = this.sizeOf(hash)
    if (size === null) return
    rmSync(join(this.#folder, hash), { force: true })
    this.#bytes -= size
  }

  /** @throws Refused busy when `bytes` more do not fit */
  assertRoom(bytes: number): void {
    const { totalBytes, freeBytes } = this.#limits
    if (this.#bytes + this.#incoming + bytes > totalBytes) {
      throw new Refused(
        'busy',
        `the files here would be more than ${totalBytes} bytes; those that nobody needs go first`,
        {
          retryAfterS: busyS,
        },
      )
    }
    const { bavail, bsize } = statfsSync(this.#folder)
    if (bavail * bsize - bytes < freeBytes) {
      throw new Refused('busy', 'the disk of the worker is almost full', { retryAfterS: busyS })
    }
  }

  async #settle(temporary: string, hash: string, bytes: number): Promise<void> {
    const known = this.sizeOf(hash)
    await rename(temporary, join(this.#folder, hash))
    this.#bytes += bytes - (known ?? 0)
  }
}

function tooLarge(bytes: number): Refused {
  return new Refused('too_large', `the file is ${bytes} bytes or more; at most ${largestFileBytes} are taken`)
}
