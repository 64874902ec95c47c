import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { StatePaths } from '../../config/paths.ts'
import { pipePath, socketFolder } from '../../platform/socket-folder.ts'

/**
 * Chooses the socket of one epoch. The name holds the epoch, so no manager ever removes the socket of another; leftovers of
 * earlier ones are removed here, under the leader lock.
 */
export function prepareSocketPath(paths: StatePaths, epoch: number): string {
  if (process.platform === 'win32') return pipePath(paths.home, String(epoch))
  const name = `manager-${epoch}.sock`
  const folder = socketFolder(paths.home, paths.home, name)
  for (const entry of readdirSync(folder)) {
    if (/^manager-\d+\.sock$/.test(entry)) rmSync(join(folder, entry), { force: true })
  }
  return join(folder, name)
}
