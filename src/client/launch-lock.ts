import { linkSync, lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { mayBeSameProcess, ownIdentity } from '../platform/process-identity.ts'

const holder = z.object({ pid: z.int(), startTime: z.string() })

/**
 * Keeps racing clients from starting a crowd of candidates. It is only a courtesy: `lock.db` alone decides who leads, so a
 * client without a native module may use plain files here. Freed by its holder, or by anyone who sees the holder dead.
 */
export interface LaunchLock {
  release(): void
}

let counter = 0

/** @returns the lock, or null while another live process launches. */
export function tryAcquireLaunchLock(file: string): LaunchLock | null {
  const current = readText(file)
  if (current !== null && isHeldByLiving(current)) return null
  counter += 1
  const mine = `${file}.${process.pid}.${counter}`
  writeFileSync(mine, JSON.stringify(ownIdentity()), { mode: 0o600 })
  try {
    // Two tries: the first may only find the leftover of a dead holder.
    for (let round = 0; round < 2; round += 1) {
      if (tryLink(mine, file)) return { release: () => rmSync(file, { force: true }) }
      if (!breakIfDead(file, `${mine}.old`)) return null
    }
    return null
  } finally {
    rmSync(mine, { force: true })
  }
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** @returns true when the lock is free now. */
function breakIfDead(file: string, aside: string): boolean {
  const judged = readText(file)
  // Nobody's lock, but in the way of every lock to come: a folder, a dangling link, a file that cannot be read.
  const isObstacle = judged === null && isThere(file)
  if (judged === null && !isObstacle) return true
  if (judged !== null && isHeldByLiving(judged)) return false
  try {
    renameSync(file, aside)
  } catch (error) {
    if (isObstacle && isThere(file)) throw error
    return true
  }
  // Between judging and renaming another process may have broken and taken it: then this is a live lock, put it back.
  const moved = readText(aside)
  if (moved !== null && moved !== judged && isHeldByLiving(moved)) {
    tryLink(aside, file)
    rmSync(aside, { force: true })
    return false
  }
  rmSync(aside, { force: true, recursive: true })
  return true
}

function isThere(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false }) !== undefined
}

/** @returns null when there is no plain file that can be read; reading a pipe would never end. */
function readText(file: string): string | null {
  try {
    if (!lstatSync(file).isFile()) return null
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}

function isHeldByLiving(text: string): boolean {
  try {
    const parsed = holder.safeParse(JSON.parse(text))
    return parsed.success && mayBeSameProcess(parsed.data)
  } catch {
    return false
  }
}
