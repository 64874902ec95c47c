import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { type ManagerFile, managerFile } from '../domain/wire/manager.ts'
import { directoryIdentity } from '../platform/directory-identity.ts'

/**
 * @returns what the leading (or last) manager wrote of itself; null when there is no readable file, or when it came here with
 * a copy of the state directory: the manager it names serves the original.
 */
export function readManagerFile(file: string): ManagerFile | null {
  try {
    const parsed = managerFile.safeParse(JSON.parse(readFileSync(file, 'utf8')))
    if (!parsed.success) return null
    const { home_identity: home } = parsed.data
    return home === undefined || home === directoryIdentity(dirname(file)) ? parsed.data : null
  } catch {
    return null
  }
}
