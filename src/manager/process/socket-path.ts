import { createHash } from 'node:crypto'
import { readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StatePaths } from '../../config/paths.ts'
import { makeDirectory } from '../../platform/make-directory.ts'
import { assertOurs } from './state-directory.ts'

/** Node 20 silently cuts a unix socket path that is longer than sockaddr_un takes; 100 bytes fit everywhere. */
const longestSocketPath = 100

/**
 * Chooses the socket of one epoch. The name holds the epoch, so no manager ever removes the socket of another; leftovers of
 * earlier ones are removed here, under the leader lock. In a state directory whose path is too long it lies in a private
 * directory beside the user's temporary files, named by a hash of the state directory (DESIGN §10.6).
 */
export function prepareSocketPath(paths: StatePaths, epoch: number): string {
  const hash = createHash('sha256').update(paths.home).digest('hex').slice(0, 16)
  if (process.platform === 'win32') return `\\\\.\\pipe\\nightkiln-${hash}-${epoch}`
  const direct = join(paths.home, `manager-${epoch}.sock`)
  const folder = Buffer.byteLength(direct) <= longestSocketPath ? paths.home : privateFolder(hash)
  for (const name of readdirSync(folder)) {
    if (/^manager-\d+\.sock$/.test(name)) rmSync(join(folder, name), { force: true })
  }
  return join(folder, `manager-${epoch}.sock`)
}

function privateFolder(hash: string): string {
  const base = process.env['XDG_RUNTIME_DIR'] ?? tmpdir()
  const folder = join(base, `nightkiln-${process.getuid?.() ?? 0}-${hash}`)
  makeDirectory(folder)
  assertOurs(folder)
  return folder
}
