import { existsSync, lstatSync } from 'node:fs'
import { opendir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { attemptDirectory, type StatePaths } from '../config/paths.ts'
import type { AttemptName } from '../domain/ports/history-store.ts'
import { attemptFiles, readRunner } from './attempt-files.ts'

type Paths = Pick<StatePaths, 'attempts'>

/** Directories looked up at once. */
const batchSize = 200

/**
 * Removes the directories of attempts that are no longer known. One whose runner lives is left for the next sweep. Links are
 * removed, never followed.
 * @param bootId as the runners of this boot write it
 * @returns how many were removed
 */
export async function removeAttempts(paths: Paths, bootId: string, attempts: readonly AttemptName[]): Promise<number> {
  if (!isDirectory(paths.attempts)) return 0
  let removed = 0
  for (const name of attempts) {
    if (await removeDirectory(attemptDirectory(paths, name), bootId)) removed += 1
  }
  return removed
}

/**
 * Removes what is left of units that no job has any more: a manager may have died between deleting a job and its files.
 * @param findUnits answers those of the ids that units have
 * @returns how many directories were removed
 */
export async function sweepAttempts(
  paths: Paths,
  bootId: string,
  findUnits: (unitIds: readonly string[]) => Promise<readonly string[]>,
): Promise<number> {
  if (!isDirectory(paths.attempts)) return 0
  let removed = 0
  let batch: { readonly name: string; readonly unitId: string }[] = []
  const removeUnknown = async () => {
    const known = new Set(await findUnits(batch.map((entry) => entry.unitId)))
    for (const { name, unitId } of batch) {
      if (!known.has(unitId) && (await removeDirectory(join(paths.attempts, name), bootId))) removed += 1
    }
    batch = []
  }
  for await (const { name } of await opendir(paths.attempts)) {
    const unitId = unitIdIn(name)
    if (unitId !== null) batch.push({ name, unitId })
    if (batch.length === batchSize) await removeUnknown()
  }
  if (batch.length > 0) await removeUnknown()
  return removed
}

/** @returns the unit of a directory that is named as one of an attempt; null for anything else, which is not ours to touch. */
function unitIdIn(name: string): string | null {
  return /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.[1-9]\d*\.[0-9a-zA-Z_-]+$/.exec(name)?.[1] ?? null
}

async function removeDirectory(directory: string, bootId: string): Promise<boolean> {
  if (!existsWithoutFollowing(directory)) return false
  if (isDirectory(directory) && (await hasLivingRunner(directory, bootId))) return false
  try {
    await rm(directory, { recursive: true, force: true, maxRetries: 2 })
    return true
  } catch {
    // The next sweep finds it again.
    return false
  }
}

/** @returns true also when it cannot be told. */
async function hasLivingRunner(directory: string, bootId: string): Promise<boolean> {
  if (existsSync(join(directory, attemptFiles.exit))) return false
  try {
    const runner = await readRunner(directory)
    return runner !== null && runner.bootId === bootId && isAlive(runner.pid)
  } catch {
    return true
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function isDirectory(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

function existsWithoutFollowing(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}
