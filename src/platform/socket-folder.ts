import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeDirectory } from './make-directory.ts'
import { assertOurs } from './own-directory.ts'

/** Node 20 silently cuts a unix socket path that is longer than sockaddr_un takes; 100 bytes fit everywhere. */
const longestSocketPath = 100

/**
 * Where a socket of a state directory lies: in its own folder or, when that makes the path too long, in a private directory
 * beside the user's temporary files, named by a hash of the state directory (DESIGN §10.6). Not for Windows.
 * @param folder of the state directory, where it is if the path is short enough
 * @throws QueueError storage_refused when the private directory is somebody else's
 */
export function socketFolder(home: string, folder: string, name: string): string {
  if (Buffer.byteLength(join(folder, name)) <= longestSocketPath) return folder
  const base = process.env['XDG_RUNTIME_DIR'] ?? tmpdir()
  const privateFolder = join(base, `nightkiln-${process.getuid?.() ?? 0}-${homeHash(home)}`)
  makeDirectory(privateFolder)
  assertOurs(privateFolder)
  return privateFolder
}

/** @returns the path of a named pipe of a state directory: Windows has no unix sockets that Node listens on. */
export function pipePath(home: string, name: string): string {
  return `\\\\.\\pipe\\nightkiln-${homeHash(home)}-${name}`
}

function homeHash(home: string): string {
  return createHash('sha256').update(home).digest('hex').slice(0, 16)
}
