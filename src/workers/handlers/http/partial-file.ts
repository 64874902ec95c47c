import { type FileHandle, open, rm } from 'node:fs/promises'
import type { HandlerContext } from '../../../handler/index.ts'
import type { PartialDownload } from './http-params.ts'

const pieceBytes = 1024 * 1024

/** The file of a download while it grows. */
export class PartialFile {
  readonly path: string
  readonly #handle: FileHandle
  #bytes: number

  private constructor(path: string, handle: FileHandle, bytes: number) {
    this.path = path
    this.#handle = handle
    this.#bytes = bytes
  }

  /** @returns an empty file */
  static async create(path: string): Promise<PartialFile> {
    return new PartialFile(path, await open(path, 'w+', 0o600), 0)
  }

  /**
   * Opens what an earlier attempt left and cuts off what was not known to be on the disk.
   * @returns null when the file is gone or shorter than it should be
   */
  static async reopen({ file, bytes }: PartialDownload): Promise<PartialFile | null> {
    let handle: FileHandle
    try {
      handle = await open(file, 'r+')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
      throw error
    }
    const stats = await handle.stat()
    if (!stats.isFile() || stats.size < bytes) {
      await handle.close()
      return null
    }
    await handle.truncate(bytes)
    return new PartialFile(file, handle, bytes)
  }

  get bytes(): number {
    return this.#bytes
  }

  async append(piece: Uint8Array): Promise<void> {
    let written = 0
    while (written < piece.length) {
      const { bytesWritten } = await this.#handle.write(piece, written, piece.length - written, this.#bytes)
      written += bytesWritten
      this.#bytes += bytesWritten
    }
  }

  /** Gives every piece to `take`. @throws Cancelled */
  async readAll(
    take: (piece: Uint8Array) => void,
    { cancellation }: Pick<HandlerContext, 'cancellation'>,
  ): Promise<void> {
    const buffer = Buffer.allocUnsafe(pieceBytes)
    for (let at = 0; at < this.#bytes; ) {
      cancellation.throwIfCancelled()
      const { bytesRead } = await this.#handle.read(buffer, 0, Math.min(pieceBytes, this.#bytes - at), at)
      if (bytesRead === 0) throw new Error(`${this.path} became shorter while it was read`)
      take(buffer.subarray(0, bytesRead))
      at += bytesRead
    }
  }

  /** What was appended is on the disk when this resolves. */
  async sync(): Promise<void> {
    await this.#handle.datasync()
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }

  async remove(): Promise<void> {
    await this.close()
    await rm(this.path, { force: true })
  }
}
