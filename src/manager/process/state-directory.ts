import { chmodSync, lstatSync } from 'node:fs'
import type { StatePaths } from '../../config/paths.ts'
import { QueueError } from '../../domain/errors.ts'
import { makeDirectory } from '../../platform/make-directory.ts'

/**
 * Makes the state directory and its folders, 0700. A wider mode of our own directory is narrowed; somebody else's, or a link,
 * is refused.
 * @throws QueueError storage_refused
 */
export function prepareStateDirectory(paths: StatePaths): void {
  for (const folder of [paths.home, paths.logs, paths.attempts, paths.artifacts, paths.sources, paths.backups]) {
    try {
      makeDirectory(folder)
    } catch (error) {
      throw new QueueError('storage_refused', `cannot create ${folder}: ${(error as Error).message}`, {
        remedy: 'Make its parent directory writable, or set NIGHTKILN_HOME to another absolute path.',
        cause: error,
      })
    }
    assertOurs(folder)
  }
}

/** @throws QueueError storage_refused when it is a link, not a directory, or not ours */
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
