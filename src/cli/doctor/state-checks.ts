import { accessSync, constants, existsSync, lstatSync, type Stats } from 'node:fs'
import { dirname } from 'node:path'
import type { StatePaths } from '../../config/paths.ts'
import { readSettings } from '../../config/settings.ts'
import { QueueError } from '../../domain/errors.ts'
import { formatBytes } from '../display/quantities.ts'
import { type Check, checkNamed } from './check.ts'
import { fileSystemFacts, syncFolderIn } from './file-system-kind.ts'

/** @returns the path itself, or the nearest folder above it that exists. */
function nearestExisting(path: string): string {
  let at = path
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at)
  return at
}

function writable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}

const moveIt = 'Set NIGHTKILN_HOME to a folder on a local disk of your own.'

/** Exists or can be made; ours; nobody else may look inside. */
export function checkStateDirectory(home: string, userId: number | undefined = process.getuid?.()): Check {
  const check = checkNamed('state_directory', 'state directory')
  let facts: Stats
  try {
    facts = lstatSync(home)
  } catch {
    const above = nearestExisting(home)
    if (!lstatSync(above).isDirectory())
      return check.problem(`${home} cannot be made: ${above} is not a folder`, moveIt)
    if (writable(above)) return check.ok(`${home} (made when first needed)`)
    return check.problem(`${home} cannot be made: ${above} is not writable`, moveIt)
  }
  if (facts.isSymbolicLink()) {
    return check.warning(
      `${home} is a symbolic link`,
      'Set NIGHTKILN_HOME to the folder it leads to, so that every program uses one name for it.',
    )
  }
  if (!facts.isDirectory())
    return check.problem(`${home} is not a folder`, `Move it away, or set NIGHTKILN_HOME to another folder.`)
  if (process.platform === 'win32') return check.ok(home)
  if (userId !== undefined && facts.uid !== userId) {
    return check.problem(
      `${home} belongs to user ${facts.uid}, not to you (${userId})`,
      `Run: sudo chown -R ${userId} ${home}`,
    )
  }
  const mode = facts.mode & 0o777
  if ((mode & 0o700) !== 0o700)
    return check.problem(`${home} has mode ${mode.toString(8)}: not usable`, `Run: chmod 700 ${home}`)
  if ((mode & 0o077) !== 0)
    return check.problem(`${home} has mode ${mode.toString(8)}: others may look inside`, `Run: chmod 700 ${home}`)
  if (!writable(home)) return check.problem(`${home} is not writable`, moveIt)
  return check.ok(home)
}

/** Locks and syncs must work: no network, no synchronised folder, no memory. */
export function checkFileSystem(home: string): Check {
  const check = checkNamed('file_system', 'file system')
  const sync = syncFolderIn(home)
  if (sync !== null)
    return check.problem(`${home} lies in the synchronised folder ${sync}, which damages databases`, moveIt)
  const { kind } = fileSystemFacts(nearestExisting(home))
  if (kind.risk === 'network') return check.problem(`${kind.name}: locks and syncs are not reliable there`, moveIt)
  if (kind.risk === 'memory') return check.warning(`${kind.name}: lost at the next reboot`, moveIt)
  if (kind.risk === 'container')
    return check.warning(
      `${kind.name}: lost when the container is removed`,
      'Put NIGHTKILN_HOME on a volume to keep it.',
    )
  return check.ok(kind.name)
}

/** More free than the floor below which no jobs are taken. */
export function checkFreeSpace(paths: StatePaths): Check {
  const check = checkNamed('free_space', 'free space')
  let floor = 64 * 1024 ** 2
  try {
    floor = readSettings(paths.configFile).free_space_floor
  } catch {
    // A bad configuration is the finding of another check.
  }
  const { freeBytes } = fileSystemFacts(nearestExisting(paths.home))
  const text = `${formatBytes(freeBytes)} free, floor ${formatBytes(floor)}`
  if (freeBytes < floor) return check.problem(`${text}: no new jobs are taken`, 'Free disk space.')
  if (freeBytes < 10 * floor) return check.warning(text, 'Free disk space before it runs out.')
  return check.ok(text)
}

export function checkConfiguration(paths: StatePaths): Check {
  const check = checkNamed('configuration', 'configuration')
  try {
    readSettings(paths.configFile)
  } catch (error) {
    const problem = error instanceof QueueError ? error : new QueueError('config_invalid', (error as Error).message)
    return check.problem(problem.message, problem.remedy)
  }
  return check.ok(existsSync(paths.configFile) ? paths.configFile : `defaults (no ${paths.configFile})`)
}
