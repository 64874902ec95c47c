import { constants, type Stats } from 'node:fs'
import { type FileHandle, lstat, open, realpath } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'

/** Whoever made the file may have left anything in its place: a FIFO would block, a link would lead elsewhere. */
const cautious = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0)

export interface ArtifactBytes {
  readonly bytes: Buffer
  /** Of the whole file. */
  readonly size: number
}

/**
 * Reads a file that an attempt made.
 * @param path `<attempts>/<attempt>/artifacts/<name>`, as the manager answers it
 * @param attempts the directory of all attempts: nothing outside it is read, and nothing that a link below it leads to
 * @param mostWhole a larger file is read up to `mostOfLarge` only, both in bytes
 * @returns null when there is no such regular file any more, or when it is not where it claims to be
 */
export async function readArtifactFile(
  path: string,
  attempts: string,
  { mostWhole, mostOfLarge }: { readonly mostWhole: number; readonly mostOfLarge: number },
): Promise<ArtifactBytes | null> {
  const handle = await open(path, cautious).catch(() => null)
  if (handle === null) return null
  try {
    const facts = await handle.stat()
    if (!facts.isFile() || !(await isInPlace(path, attempts, facts))) return null
    const bytes = await readBytes(handle, facts.size <= mostWhole ? facts.size : mostOfLarge)
    return { bytes, size: facts.size }
  } finally {
    await handle.close()
  }
}

/** Judges the file that is open, not the one that a name leads to a moment later. */
async function isInPlace(path: string, attempts: string, opened: Stats): Promise<boolean> {
  try {
    const [attempt = '', folder, name = ''] = resolve(path).split(sep).slice(-3)
    const [file, root] = await Promise.all([realpath(path), realpath(attempts)])
    const expected = join(root, attempt, 'artifacts', name)
    if (folder !== 'artifacts' || expected.normalize() !== file.normalize()) return false
    const found = await lstat(file)
    return found.dev === opened.dev && found.ino === opened.ino
  } catch {
    return false
  }
}

async function readBytes(handle: FileHandle, most: number): Promise<Buffer> {
  const bytes = Buffer.alloc(most)
  let length = 0
  for (let count = 1; count > 0 && length < most; length += count) {
    count = (await handle.read(bytes, length, most - length, length)).bytesRead
  }
  return bytes.subarray(0, length)
}
