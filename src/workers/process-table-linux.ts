import { closeSync, openSync, readdirSync, readSync } from 'node:fs'
import { parseMarks } from './marks.ts'
import type { ProcessFacts, ProcessMarks, ProcessTable } from './process-table.ts'

const listings = 5
const statBytes = 2048

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
  }
}

/** The process table of Linux, read from /proc. */
export function createLinuxProcessTable(root = '/proc'): ProcessTable {
  const buffer = Buffer.allocUnsafe(statBytes)

  const find = (pid: number): ProcessFacts | null => {
    let descriptor: number
    try {
      descriptor = openSync(`${root}/${pid}/stat`, 'r')
    } catch {
      return null
    }
    try {
      return parseStat(buffer.toString('latin1', 0, readSync(descriptor, buffer, 0, statBytes, 0)))
    } catch {
      return null
    } finally {
      closeSync(descriptor)
    }
  }

  return {
    find,

    list() {
      const seen = new Map<number, ProcessFacts | null>()
      // A parent may fork and end while it is listed; its child then shows in the next listing.
      for (let round = 0; round < listings; round++) {
        const before = seen.size
        for (const name of readdirSync(root)) {
          const pid = Number(name)
          if (!Number.isInteger(pid) || pid <= 0 || seen.has(pid)) continue
          seen.set(pid, find(pid))
        }
        if (seen.size === before) break
      }
      return [...seen.values()].filter((facts) => facts !== null)
    },

    marksOf(pid) {
      const environment = readAll(`${root}/${pid}/environ`)
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

function readAll(file: string): Buffer | null {
  let descriptor: number
  try {
    descriptor = openSync(file, 'r')
  } catch {
    return null
  }
  try {
    const pieces: Buffer[] = []
    for (;;) {
      const piece = Buffer.allocUnsafe(16_384)
      const length = readSync(descriptor, piece)
      if (length === 0) return Buffer.concat(pieces)
      pieces.push(piece.subarray(0, length))
    }
  } catch {
    return null
  } finally {
    closeSync(descriptor)
  }
}
