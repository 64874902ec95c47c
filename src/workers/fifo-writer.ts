import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { errorCode, isPassing } from './attempt-access.ts'

export interface FifoPatience {
  /** Ms without one byte taken. */
  readonly stallMs: number
  /** Monotonic ms at which it ends in any case. */
  readonly deadline: number
  readonly monotonic: () => number
  /** True: nobody waits any more. */
  readonly abandoned: () => boolean
}

export interface FifoOutcome {
  readonly taken: number
  /** `done`: all was taken; `full`: it was not within the patience; `closed`: nobody reads, or it is no pipe. */
  readonly kind: 'done' | 'full' | 'closed'
}

const writeOnly = constants.O_WRONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0)
const firstPauseMs = 2
const longestPauseMs = 50

/**
 * Writes to a named pipe without ever blocking a thread: neither an absent reader nor a full pipe is waited for in the system.
 * The pipe is in an attempt directory: what has its name and is none gets nothing.
 */
export async function writeFifo(file: string, bytes: Uint8Array, patience: FifoPatience): Promise<FifoOutcome> {
  let handle: FileHandle | null = null
  let taken = 0
  let progressAt = patience.monotonic()
  let pauseMs = firstPauseMs
  try {
    for (;;) {
      try {
        handle ??= await open(file, writeOnly)
        if (!(await handle.stat()).isFIFO()) return { taken, kind: 'closed' }
        while (taken < bytes.length) {
          const { bytesWritten } = await handle.write(bytes, taken, bytes.length - taken, null)
          if (bytesWritten === 0) break
          taken += bytesWritten
          progressAt = patience.monotonic()
          pauseMs = firstPauseMs
        }
        if (taken === bytes.length) return { taken, kind: 'done' }
      } catch (error) {
        if (!isPassing(error)) {
          if (closedCodes.includes(errorCode(error))) return { taken, kind: 'closed' }
          throw error
        }
      }
      const now = patience.monotonic()
      if (now - progressAt >= patience.stallMs || now >= patience.deadline) return { taken, kind: 'full' }
      if (patience.abandoned()) return { taken, kind: 'closed' }
      await sleep(pauseMs)
      pauseMs = Math.min(pauseMs * 2, longestPauseMs)
    }
  } finally {
    await handle?.close().catch(() => undefined)
  }
}

/** ENXIO: nobody has it open for reading; the others: it was removed or replaced. */
const closedCodes: readonly string[] = ['ENXIO', 'EPIPE', 'ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR', 'EACCES', 'ENODEV']
