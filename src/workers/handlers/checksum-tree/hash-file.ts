import { createHash } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import type { Algorithm } from './tree-params.ts'

const pieceBytes = 1024 * 1024
const changed = 'it changed while it was read'
// One for all files of the thread: they are read one after the other.
const piece = Buffer.allocUnsafe(pieceBytes)

/** Thrown when a file was no longer what it had been. */
export class ChangedFile extends Error {
  override readonly name = 'ChangedFile'
}

export interface HashOptions {
  readonly path: string
  readonly algorithm: Algorithm
  readonly follow: boolean
  /** Called after each piece with its bytes; may wait, and ends the hash by throwing. */
  readonly onPiece: (bytes: number) => Promise<void> | undefined
}

/**
 * Reads a file in pieces. It never waits for a pipe that took the file's place.
 * @returns its hash, hex, and its bytes
 * @throws ChangedFile when it changed meanwhile; the error of the system when it cannot be read
 */
export async function hashFile(options: HashOptions): Promise<{ readonly digest: string; readonly bytes: number }> {
  const { path, algorithm, follow, onPiece } = options
  // Windows knows neither.
  const { O_RDONLY, O_NONBLOCK = 0, O_NOFOLLOW = 0 } = constants
  const file = openSync(path, O_RDONLY | O_NONBLOCK | (follow ? 0 : O_NOFOLLOW))
  try {
    const before = fstatSync(file)
    if (!before.isFile()) throw new ChangedFile('it is no file any more')
    const hash = createHash(algorithm)
    let bytes = 0
    for (;;) {
      const read = readSync(file, piece, 0, pieceBytes, null)
      if (read === 0) break
      hash.update(piece.subarray(0, read))
      bytes += read
      // A file may grow as fast as it is read.
      if (bytes > before.size) throw new ChangedFile(changed)
      const pause = onPiece(read)
      if (pause !== undefined) await pause
    }
    const after = fstatSync(file)
    if (bytes !== before.size || after.size !== before.size || after.mtimeMs !== before.mtimeMs)
      throw new ChangedFile(changed)
    return { digest: hash.digest('hex'), bytes }
  } finally {
    closeSync(file)
  }
}
