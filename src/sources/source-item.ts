import { QueueError } from '../domain/errors.ts'
import type { Json } from '../domain/job.ts'

/** Items one after the other, so that memory stays flat however many there are. */
export type SourceItems = AsyncGenerator<Json, void, undefined> | Generator<Json, void, undefined>

/** @returns an invalid_input error that tells what is wrong with the source. */
export function sourceError(message: string, remedy: string, cause?: unknown): QueueError {
  return new QueueError('invalid_input', message, { remedy, ...(cause === undefined ? {} : { cause }) })
}

/** @returns a file system error in words that name the file. */
export function fileError(what: string, path: string, error: unknown): QueueError {
  const { code, message } = error as NodeJS.ErrnoException
  const why =
    code === 'ENOENT'
      ? 'does not exist'
      : code === 'EACCES' || code === 'EPERM'
        ? 'cannot be read: permission denied'
        : code === 'EISDIR'
          ? 'is a directory'
          : code === 'ENOTDIR'
            ? 'is below something that is not a directory'
            : `cannot be read: ${message}`
  return sourceError(`${what} ${path} ${why}`, 'Give the absolute path of something that you can read.', error)
}

const reservedNames = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * @param names columns in order
 * @throws QueueError invalid_input when a unit could not be an object with these columns
 */
export function assertColumns(names: readonly string[], where: string, remedy: string): void {
  const seen = new Set<string>()
  names.forEach((name, index) => {
    if (name === '') throw sourceError(`${where}: column ${index + 1} has no name`, remedy)
    if (reservedNames.has(name)) throw sourceError(`${where}: "${name}" is not a possible name of a column`, remedy)
    if (seen.has(name)) throw sourceError(`${where}: two columns are named "${name}"`, remedy)
    seen.add(name)
  })
}
