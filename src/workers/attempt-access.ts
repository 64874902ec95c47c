import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'

/**
 * How files of an attempt directory are opened. The command can write there: a FIFO would block whoever opens it, a link
 * would lead elsewhere, a directory in place of a file is none.
 */
const cautious = (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0)
const readOnly = constants.O_RDONLY | cautious
const readWrite = constants.O_RDWR | cautious

/** Errors that pass: no free descriptor, a disk that stumbles. Anything else is final. */
const passing: readonly string[] = ['EMFILE', 'ENFILE', 'EIO', 'EAGAIN', 'EINTR', 'ENOMEM', 'EBUSY']

export function errorCode(error: unknown): string {
  return (error as NodeJS.ErrnoException | null)?.code ?? 'unknown'
}

/** True when the same call may succeed a moment later: such an error proves nothing. */
export function isPassing(error: unknown): boolean {
  return passing.includes(errorCode(error))
}

function notRegular(file: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${file} is not a regular file`), { code: 'ENOTREG' })
}

/**
 * Opens a regular file for reading without ever waiting.
 * @throws the system's error; ENOTREG or ELOOP when it is something else than a regular file
 */
export function openRegular(file: string): number {
  const descriptor = openSync(file, readOnly)
  try {
    if (fstatSync(descriptor).isFile()) return descriptor
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
  closeSync(descriptor)
  throw notRegular(file)
}

/** As openRegular; `write`: for reading and writing. */
export async function openRegularHandle(file: string, write = false): Promise<FileHandle> {
  const handle = await open(file, write ? readWrite : readOnly)
  try {
    if ((await handle.stat()).isFile()) return handle
  } catch (error) {
    await handle.close()
    throw error
  }
  await handle.close()
  throw notRegular(file)
}

/** @returns at most the first `maxBytes` of a regular file; errors as openRegular. */
export function readRegular(file: string, maxBytes: number): string {
  const descriptor = openRegular(file)
  try {
    const pieces: Buffer[] = []
    for (let left = maxBytes; left > 0; ) {
      const piece = Buffer.allocUnsafe(Math.min(left, 64 * 1024))
      const length = readSync(descriptor, piece)
      if (length === 0) break
      pieces.push(piece.subarray(0, length))
      left -= length
    }
    return Buffer.concat(pieces).toString('utf8')
  } finally {
    closeSync(descriptor)
  }
}

/**
 * @param unknown what to answer when it cannot be told now
 * @returns bytes of a regular file; 0 for none and for anything else
 */
export function sizeOf(file: string, unknown = 0): number {
  try {
    const facts = lstatSync(file)
    return facts.isFile() ? facts.size : 0
  } catch (error) {
    return isPassing(error) ? unknown : 0
  }
}

/** Makes a new file, in place of whatever has its name. */
export async function createAnew(file: string): Promise<FileHandle> {
  rmSync(file, { recursive: true, force: true })
  return open(file, 'wx', 0o600)
}

/** Replaces a file as a whole. Not durable: a reboot makes it void anyway. */
export function replaceFile(file: string, text: string): void {
  const temporary = `${file}.tmp`
  rmSync(temporary, { recursive: true, force: true })
  const descriptor = openSync(temporary, 'wx', 0o600)
  try {
    writeSync(descriptor, text)
  } finally {
    closeSync(descriptor)
  }
  try {
    renameSync(temporary, file)
  } catch (error) {
    if (errorCode(error) !== 'EISDIR') throw error
    rmSync(file, { recursive: true, force: true })
    renameSync(temporary, file)
  }
}
