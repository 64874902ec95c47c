import { closeSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { openRegular, openRegularHandle, sizeOf } from './attempt-access.ts'
import { attemptFiles } from './attempt-files.ts'
import { emptyLiveOutput } from './empty-live-output.ts'
import type { ExecutorLog } from './executor-context.ts'
import { type OutputState, readOutputState, totalOf, writeOutputIndex } from './output-index.ts'
import { outputLimits, trimTail } from './output-limits.ts'

const readBytes = 64 * 1024
/** Of a larger backlog only the first and last piece are read. */
const backlogBytes = 256 * 1024
/** Growth between two looks that calls for looking often. */
const fastGrowthBytes = 512 * 1024

export interface OutputGrowth {
  readonly grew: boolean
  readonly fast: boolean
}

export interface OutputReceiver {
  /** New output in order; `skipped`: bytes before these were left out. */
  bytes(piece: Uint8Array, skipped: boolean): void
}

/** Watches the output of one command: hands on what is new, keeps head and tail under the cap. */
export interface OutputKeeper {
  look(): OutputGrowth
  /** The command has ended: hands on the rest, brings the files under the cap, makes them durable. */
  finish(): Promise<void>
}

const shared = Buffer.allocUnsafe(readBytes)

export function createOutputKeeper(
  directory: string,
  maxOutputBytes: number,
  receiver: OutputReceiver,
  log: ExecutorLog,
): OutputKeeper {
  const file = join(directory, attemptFiles.output)
  const limits = outputLimits(maxOutputBytes)
  let { index } = readOutputState(directory)
  /** Logical offset of the next byte to hand on. */
  let next = index.liveStart
  let lastTotal = 0
  /** Size of the live file when it was last looked at or emptied: it only grows, unless the command empties it. */
  let lastSize = 0
  let wasEmptied = false
  let isUnwritten = false
  let emptying: Promise<void> | null = null

  const readRange = (from: number, length: number, skipped: boolean): void => {
    let descriptor: number
    try {
      descriptor = openRegular(file)
    } catch {
      return
    }
    try {
      const count = readSync(descriptor, shared, 0, length, from - index.liveStart)
      if (count === 0) return
      next = from + count
      receiver.bytes(shared.subarray(0, count), skipped)
    } catch (error) {
      log.warn({ file, err: error }, 'cannot read the output of a command')
    } finally {
      closeSync(descriptor)
    }
  }

  const handOn = (total: number): void => {
    const skipsEmptied = next < index.liveStart
    if (skipsEmptied) next = index.liveStart
    if (total - next > backlogBytes) {
      readRange(next, readBytes, skipsEmptied)
      readRange(total - readBytes, readBytes, true)
    } else {
      let skipped = skipsEmptied
      for (let at = next; next < total; at = next) {
        readRange(next, Math.min(readBytes, total - next), skipped)
        skipped = false
        if (next === at) break
      }
    }
  }

  const startEmptying = (): Promise<void> => {
    emptying ??= emptyLiveOutput(directory, index, limits)
      .then((result) => {
        index = result
        lastSize = 0
      })
      .catch((error: unknown) => {
        try {
          index = readOutputState(directory).index
        } catch {
          // The known one is as good: an index on disk that differs from it was not finished.
        }
        lastSize = 0
        log.warn({ file, err: error }, 'cannot shorten the output of a command')
      })
      .finally(() => {
        emptying = null
      })
    return emptying
  }

  const tellReaders = (): void => {
    try {
      writeOutputIndex(directory, index)
      isUnwritten = false
    } catch (error) {
      log.debug({ file, err: error }, 'the index of an output is not written; tried again at the next look')
    }
  }

  /**
   * Looks at the size of the live file. When the command emptied it (`echo x >/dev/stderr` opens it anew and truncates
   * it), what was there counts as dropped, and offsets go on after it. Not seen: a file that grew past its last known
   * size again between two looks.
   */
  const lookAtSize = (): number => {
    const size = sizeOf(file, lastSize)
    if (size < lastSize) {
      index = { ...index, generation: index.generation + 1, liveStart: index.liveStart + lastSize }
      if (!wasEmptied) log.warn({ file, dropped_bytes: lastSize }, 'the command emptied its own output: that is lost')
      wasEmptied = true
      isUnwritten = true
    }
    lastSize = size
    if (isUnwritten) tellReaders()
    return size
  }

  const isTooLarge = (liveSize: number): boolean =>
    liveSize > (index.pieces.length === 0 ? limits.firstLiveBytes : limits.laterLiveBytes)

  return {
    look() {
      // While it is emptied, offsets in the live file change.
      if (emptying !== null) return { grew: true, fast: true }
      const liveSize = lookAtSize()
      const total = index.liveStart + liveSize
      const growth = total - lastTotal
      lastTotal = total
      if (total > next) handOn(total)
      if (isTooLarge(liveSize)) void startEmptying()
      return { grew: growth > 0, fast: growth > fastGrowthBytes }
    },

    async finish() {
      await emptying
      const state: OutputState = { index, liveSize: lookAtSize() }
      if (totalOf(state) > next) handOn(totalOf(state))
      if (totalOf(state) > maxOutputBytes) {
        const isFirst = index.pieces.length === 0
        if (isFirst || state.liveSize > limits.tailBytes) await startEmptying()
        const trimmed = trimTail(index.pieces, sizeOf(file), limits.tailBytes)
        index = { ...index, generation: index.generation + 1, pieces: trimmed }
        writeOutputIndex(directory, index)
      }
      await makeDurable(directory, log)
    },
  }
}

/** A job that is recorded as ended has its log after a power cut too. */
async function makeDurable(directory: string, log: ExecutorLog): Promise<void> {
  for (const name of [attemptFiles.output, attemptFiles.exit]) {
    try {
      const handle = await openRegularHandle(join(directory, name))
      try {
        await handle.sync()
      } finally {
        await handle.close()
      }
    } catch (error) {
      log.debug({ directory, name, err: error }, 'not made durable')
    }
  }
}
