import { createReadStream, statSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { TextDecoder } from 'node:util'
import { fileError, sourceError } from './source-item.ts'

/**
 * Reads a text file piece by piece, without its byte order mark.
 * @throws QueueError invalid_input when it is missing, unreadable, no plain file, or not UTF-8
 */
export async function* readText(file: string): AsyncGenerator<string, void, undefined> {
  assertPlainFile(file)
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let read = 0
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: 256 * 1024 })) {
      const bytes = chunk as Buffer
      if (read === 0) assertNotUtf16(bytes, file)
      const text = decode(decoder, bytes, file, read)
      read += bytes.length
      if (text !== '') yield text
    }
    decode(decoder, undefined, file, read)
  } catch (error) {
    throw (error as NodeJS.ErrnoException).syscall === undefined ? error : fileError('the file', file, error)
  }
}

/** @throws QueueError invalid_input when it is not a file that can be read to its end */
export function assertPlainFile(file: string): { readonly bytes: number } {
  if (!isAbsolute(file)) throw sourceError(`the file ${file} is not an absolute path`, 'Give its absolute path.')
  if (file.includes('\0')) throw sourceError('the path of the file holds a NUL character', 'Give its path without it.')
  try {
    const stats = statSync(file)
    if (stats.isFile()) return { bytes: stats.size }
    const kind = stats.isDirectory() ? 'a directory' : 'not a plain file'
    throw sourceError(`${file} is ${kind}`, 'Give the absolute path of a file.')
  } catch (error) {
    throw (error as NodeJS.ErrnoException).syscall === undefined ? error : fileError('the file', file, error)
  }
}

function decode(decoder: TextDecoder, bytes: Buffer | undefined, file: string, offset: number): string {
  try {
    return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true })
  } catch (error) {
    throw sourceError(`${file} is not UTF-8 text (about byte ${offset})`, 'Save it as UTF-8.', error)
  }
}

function assertNotUtf16(bytes: Buffer, file: string): void {
  const mark = bytes.subarray(0, 2).toString('hex')
  if (mark === 'fffe' || mark === 'feff') throw sourceError(`${file} is UTF-16 text`, 'Save it as UTF-8.')
}
