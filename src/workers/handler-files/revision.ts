import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { type FileFacts, stampOf } from './read-directory.ts'

/** Larger files are no code; a change of their size or time is taken as a change. */
const largestRead = 4 * 1024 * 1024

/** Content of a file as of its size and time. */
export interface KnownContent {
  readonly stamp: string
  readonly sha256: string
}

/**
 * @param known of an earlier look; files whose stamp is the same are not read again
 * @returns what names the content of all files together, and the content of each
 */
export async function revisionOf(
  directory: string,
  files: readonly FileFacts[],
  known: ReadonlyMap<string, KnownContent>,
): Promise<{ readonly revision: string; readonly contents: ReadonlyMap<string, KnownContent> }> {
  const contents = new Map<string, KnownContent>()
  const whole = createHash('sha256')
  for (const file of files) {
    const stamp = stampOf(file)
    const before = known.get(file.path)
    const sha256 = before?.stamp === stamp ? before.sha256 : await contentOf(join(directory, file.path), file)
    contents.set(file.path, { stamp, sha256 })
    whole.update(`${file.path}\0${sha256}\n`)
  }
  return { revision: whole.digest('hex').slice(0, 32), contents }
}

async function contentOf(path: string, file: FileFacts): Promise<string> {
  const hash = createHash('sha256')
  if (file.size > largestRead) return hash.update(stampOf(file)).digest('hex')
  try {
    await pipeline(createReadStream(path), hash)
    return hash.digest('hex')
  } catch {
    // It vanished or cannot be read: whoever loads it tells why.
    return 'unreadable'
  }
}
