import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { type ManagerFile, managerFile } from '../domain/wire/manager.ts'
import { directoryIdentity } from '../platform/directory-identity.ts'

/**
 * @returns what the leading (or last) manager wrote of itself; null when there is no readable file of this user, or when it
 * came here with a copy of the state directory: the manager it names serves the original.
 */
export function readManagerFile(file: string): ManagerFile | null {
  try {
    const parsed = managerFile.safeParse(JSON.parse(readOwn(file)))
    if (!parsed.success) return null
    const { home_identity: home } = parsed.data
    return home === undefined || home === directoryIdentity(dirname(file)) ? parsed.data : null
  } catch {
    return null
  }
}

/**
 * It names a program that will be started, a process that may be ended and a socket that is told everything: in a directory that
 * was open to others it may be theirs.
 * @throws Error when it belongs to somebody else, is a link, or cannot be read
 */
function readOwn(file: string): string {
  const descriptor = openSync(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  try {
    const uid = process.getuid?.()
    const stats = fstatSync(descriptor)
    if (!stats.isFile() || (uid !== undefined && stats.uid !== uid)) throw new Error(`${file} is not ours`)
    return readFileSync(descriptor, 'utf8')
  } finally {
    closeSync(descriptor)
  }
}
