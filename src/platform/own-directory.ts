import { chmodSync, lstatSync } from 'node:fs'
import { QueueError } from '../domain/errors.ts'

/**
 * Narrows a wider mode of a directory of our own to 0700.
 * @throws QueueError storage_refused when it is a link, not a directory, or not ours
 */
export function assertOurs(folder: string): void {
  const stats = lstatSync(folder)
  if (!stats.isDirectory()) {
    throw new QueueError('storage_refused', `${folder} is not a directory (a link is not accepted)`, {
      remedy: 'Set NIGHTKILN_HOME to a real directory of your own.',
    })
  }
  const uid = process.getuid?.()
  if (uid === undefined) return
  if (stats.uid !== uid) {
    throw new QueueError('storage_refused', `${folder} belongs to user ${stats.uid}, not to ${uid}`, {
      remedy: 'Set NIGHTKILN_HOME to a directory of your own.',
    })
  }
  if ((stats.mode & 0o077) !== 0) chmodSync(folder, 0o700)
}
