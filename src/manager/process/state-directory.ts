import type { StatePaths } from '../../config/paths.ts'
import { QueueError } from '../../domain/errors.ts'
import { makeDirectory } from '../../platform/make-directory.ts'
import { assertOurs } from '../../platform/own-directory.ts'

/**
 * Makes the state directory and its folders, 0700. A wider mode of our own directory is narrowed; somebody else's, or a link,
 * is refused.
 * @throws QueueError storage_refused
 */
export function prepareStateDirectory(paths: StatePaths): void {
  for (const folder of [
    paths.home,
    paths.logs,
    paths.attempts,
    paths.artifacts,
    paths.sources,
    paths.backups,
    paths.hosts,
  ]) {
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
