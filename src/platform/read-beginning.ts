import { constants } from 'node:fs'
import { open } from 'node:fs/promises'

/** Whoever made the file may have left anything in its place: a FIFO would block, a link would lead elsewhere. */
const cautious = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0)

export interface FileBeginning {
  readonly bytes: Uint8Array
  /** False: there is more. */
  readonly whole: boolean
}

/**
 * Reads at most the first `maxBytes` of a regular file, without ever waiting for a writer.
 * @returns null when there is no regular file of that name, or none that may be read
 */
export async function readBeginning(file: string, maxBytes: number): Promise<FileBeginning | null> {
  const handle = await open(file, cautious).catch(() => null)
  if (handle === null) return null
  try {
    const facts = await handle.stat()
    if (!facts.isFile()) return null
    const bytes = Buffer.alloc(Math.min(maxBytes, facts.size))
    let length = 0
    for (let count = 1; count > 0 && length < bytes.length; length += count) {
      count = (await handle.read(bytes, length, bytes.length - length, length)).bytesRead
    }
    return { bytes: bytes.subarray(0, length), whole: facts.size <= length }
  } finally {
    await handle.close()
  }
}
