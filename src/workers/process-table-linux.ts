import { closeSync, openSync, readdirSync, readSync } from 'node:fs'
import { saysNoSuchProcess } from '../platform/process-identity.ts'
import { errorCode } from './attempt-access.ts'
import { parseMarks } from './marks.ts'
import type { ProcessFacts, ProcessMarks, ProcessTable } from './process-table.ts'

const listings = 5
const statBytes = 2048
/** An environment that tells nothing: of a process that is gone or just going (EIO), or of another user's. */
const unreadable: readonly string[] = ['ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'EIO']

/** @returns the facts of a line of /proc/<pid>/stat; null for a zombie or an unreadable line. */
export function parseStat(line: string): ProcessFacts | null {
  // The command name may hold spaces and parentheses; the fields after the last ')' are fixed.
  const close = line.lastIndexOf(')')
  const fields = line.slice(close + 2).split(' ')
  const state = fields[0]
  const startTime = fields[19]
  if (close < 0 || startTime === undefined || state === 'Z' || state === 'X') return null
  return {
    pid: Number.parseInt(line, 10),
    parentPid: Number(fields[1]),
    groupId: Number(fields[2]),
    sessionId: Number(fields[3]),
    startTime,
    ...(state === 'T' || state === 't' ? { isStopped: true } : {}),
    ...(state === 'D' ? { isUninterruptible: true } : {}),
  }
}

/** The process table of Linux, read from /proc. */
export function createLinuxProcessTable(root = '/proc'): ProcessTable {
  const buffer = Buffer.allocUnsafe(statBytes)
  const withReserve = createReserve()

  const readStat = (pid: number): ProcessFacts | null => {
    const descriptor = openSync(`${root}/${pid}/stat`, 'r')
    try {
      return parseStat(buffer.toString('latin1', 0, readSync(descriptor, buffer, 0, statBytes, 0)))
    } finally {
      closeSync(descriptor)
    }
  }
  const find = (pid: number): ProcessFacts | null => {
    try {
      return withReserve(() => readStat(pid))
    } catch (error) {
      if (saysNoSuchProcess(error, pid)) return null
      throw error
    }
  }

  return {
    find,

    list() {
      const seen = new Map<number, ProcessFacts | null>()
      // A parent may fork and end while it is listed; its child then shows in the next listing.
      for (let round = 0; round < listings; round++) {
        const before = seen.size
        for (const name of withReserve(() => readdirSync(root))) {
          const pid = Number(name)
          if (!Number.isInteger(pid) || pid <= 0 || seen.has(pid)) continue
          seen.set(pid, find(pid))
        }
        if (seen.size === before) break
      }
      return [...seen.values()].filter((facts) => facts !== null)
    },

    marksOf(pid) {
      const environment = withReserve(() => readAll(`${root}/${pid}/environ`))
      return environment === null ? null : marksIn(environment)
    },
  }
}

function marksIn(environment: Buffer): ProcessMarks {
  if (!environment.includes('NIGHTKILN_')) return parseMarks([])
  return parseMarks(
    environment
      .toString('latin1')
      .split('\0')
      .filter((entry) => entry.startsWith('NIGHTKILN_')),
  )
}

/** @returns null when gone or another user's */
function readAll(file: string): Buffer | null {
  let descriptor: number | null = null
  try {
    descriptor = openSync(file, 'r')
    const pieces: Buffer[] = []
    for (;;) {
      const piece = Buffer.allocUnsafe(16_384)
      const length = readSync(descriptor, piece)
      if (length === 0) return Buffer.concat(pieces)
      pieces.push(piece.subarray(0, length))
    }
  } catch (error) {
    if (unreadable.includes(errorCode(error))) return null
    throw error
  } finally {
    if (descriptor !== null) closeSync(descriptor)
  }
}

type Reserve = <T>(action: () => T) => T

/**
 * Holds one descriptor for the moment in which there is no other: processes are looked for most urgently when something
 * has run wild. The action must be synchronous, open at most one, and close it.
 */
function createReserve(): Reserve {
  const take = (): number | null => {
    try {
      return openSync('/dev/null', 'r')
    } catch {
      return null
    }
  }
  let reserve = take()
  return (action) => {
    reserve ??= take()
    try {
      return action()
    } catch (error) {
      if (!['EMFILE', 'ENFILE'].includes(errorCode(error)) || reserve === null) throw error
      closeSync(reserve)
      try {
        return action()
      } finally {
        reserve = take()
      }
    }
  }
}
