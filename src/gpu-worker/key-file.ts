import { createHash, timingSafeEqual } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readSync, realpathSync, type Stats } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { QueueError } from '../domain/errors.ts'

const longestKeyBytes = 4_096
const shortestKey = 16

/** Tells whether a request has the key, without telling how much of it is right. */
export interface KeyCheck {
  accepts(header: string | undefined): boolean
}

/**
 * Reads the key that clients must show.
 * @throws QueueError config_invalid when the file is no key that only this user can read
 */
export function readKeyFile(file: string, environment: NodeJS.ProcessEnv = process.env): KeyCheck {
  const key = readKey(resolve(file), environment)
  const expected = hashOf(key)
  return {
    accepts: (header) => {
      const given = /^Bearer +(\S+)$/i.exec(header ?? '')?.[1] ?? ''
      return timingSafeEqual(hashOf(given), expected)
    },
  }
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function readKey(file: string, environment: NodeJS.ProcessEnv): string {
  let descriptor: number
  try {
    descriptor = openSync(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    const why =
      code === 'ELOOP' ? 'it is a link' : code === 'ENOENT' ? 'there is no such file' : (error as Error).message
    throw unusable(file, why, 'Make one with: nightkiln worker init')
  }
  try {
    const stats = fstatSync(descriptor)
    if (!stats.isFile()) throw unusable(file, 'it is not a file', 'Make one with: nightkiln worker init')
    assertPrivate(file, stats, environment)
    const buffer = Buffer.alloc(longestKeyBytes + 1)
    const length = readSync(descriptor, buffer)
    const key = buffer.toString('utf8', 0, length).trim()
    if (length > longestKeyBytes || !/^[\x21-\x7e]+$/.test(key) || key.length < shortestKey) {
      const why = `it must hold one line of ${shortestKey} to ${longestKeyBytes} characters without spaces`
      throw unusable(file, why, 'Make one with: nightkiln worker init')
    }
    return key
  } finally {
    closeSync(descriptor)
  }
}

function assertPrivate(file: string, stats: Stats, environment: NodeJS.ProcessEnv): void {
  const uid = process.getuid?.()
  // Windows tells nothing by mode; its access lists are the operator's.
  if (uid === undefined) return
  const mode = (stats.mode & 0o777).toString(8).padStart(4, '0')
  // systemd hands credentials over in a directory that the service alone can enter: root's, readable by an access list, which
  // shows as the mode of the group.
  const isCredential = stats.uid === 0 && liesIn(file, environment['CREDENTIALS_DIRECTORY'])
  if (stats.uid !== uid && !isCredential) {
    throw unusable(
      file,
      `it belongs to user ${stats.uid}, not to ${uid}, who runs the worker`,
      `Run: chown ${uid} ${file}`,
    )
  }
  if ((stats.mode & (isCredential ? 0o007 : 0o077)) !== 0) {
    throw unusable(
      file,
      `others can read it (mode ${mode})`,
      `Run: chmod 600 ${file}, and make a new key if others had access.`,
    )
  }
}

function liesIn(file: string, directory: string | undefined): boolean {
  if (directory === undefined || directory === '') return false
  try {
    return realpathSync(dirname(file)) === realpathSync(directory)
  } catch {
    return false
  }
}

function unusable(file: string, why: string, remedy: string): QueueError {
  return new QueueError('config_invalid', `the key file ${file} cannot be used: ${why}`, { remedy })
}
