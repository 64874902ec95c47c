import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { QueueError } from '../../domain/errors.ts'
import { mayBeSameProcess, ownIdentity } from '../../platform/process-identity.ts'

const holder = z.object({ pid: z.int(), startTime: z.string() })

/**
 * Takes the state directory for this process. The lock of a process that is gone is taken over.
 * @returns frees it
 * @throws QueueError invalid_transition while another worker has it
 */
export function lockState(file: string): () => void {
  const mine = `${file}.${process.pid}`
  writeFileSync(mine, JSON.stringify(ownIdentity()), { mode: 0o600 })
  try {
    // Two rounds: the first may only find the leftover of a dead holder.
    for (let round = 0; round < 2; round += 1) {
      if (tryLink(mine, file)) return () => rmSync(file, { force: true })
      if (!moveAside(file, `${mine}.old`)) break
    }
  } finally {
    rmSync(mine, { force: true })
  }
  const pid = holderOf(file)?.pid
  throw new QueueError(
    'invalid_transition',
    `another worker${pid === undefined ? '' : ` (pid ${pid})`} uses this state directory: the lock is ${file}`,
    { remedy: 'Stop that worker first, or give this one a directory of its own with --state DIR.' },
  )
}

/** @returns true when the lock is free now */
function moveAside(file: string, aside: string): boolean {
  const judged = readText(file)
  if (judged === null) return true
  if (isHeld(judged)) return false
  try {
    renameSync(file, aside)
  } catch {
    return true
  }
  // Between judging and moving another worker may have taken it: then this is a live lock, put it back.
  const moved = readText(aside)
  const isTaken = moved !== null && moved !== judged && isHeld(moved)
  if (isTaken) tryLink(aside, file)
  rmSync(aside, { force: true })
  return !isTaken
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

function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}

function parseHolder(text: string): z.infer<typeof holder> | null {
  try {
    return holder.parse(JSON.parse(text))
  } catch {
    return null
  }
}

function holderOf(file: string): z.infer<typeof holder> | null {
  return parseHolder(readText(file) ?? '')
}

function isHeld(text: string): boolean {
  const parsed = parseHolder(text)
  return parsed !== null && mayBeSameProcess(parsed)
}
