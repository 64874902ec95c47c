import { closeSync, openSync, readSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { attemptFiles } from './attempt-files.ts'
import { emptyLiveOutput } from './empty-live-output.ts'
import type { ExecutorLog } from './executor-context.ts'
import { type OutputState, readOutputState, sizeOf, totalOf, writeOutputIndex } from './output-index.ts'
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
  let emptying: Promise<void> | null = null

  const readRange = (from: number, length: number, skipped: boolean): void => {
    let descriptor: number
    try {
      descriptor = openSync(file, 'r')
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
      })
      .catch((error: unknown) => {
        index = readOutputState(directory).index
        log.warn({ file, err: error }, 'cannot shorten the output of a command')
      })
      .finally(() => {
        emptying = null
      })
    return emptying
  }

  const isTooLarge = (liveSize: number): boolean =>
    liveSize > (index.pieces.length === 0 ? limits.firstLiveBytes : limits.laterLiveBytes)

  return {
    look() {
      // While it is emptied, offsets in the live file change.
      if (emptying !== null) return { grew: true, fast: true }
      const liveSize = sizeOf(file)
      const total = index.liveStart + liveSize
      const growth = total - lastTotal
      lastTotal = total
      if (total > next) handOn(total)
      if (isTooLarge(liveSize)) void startEmptying()
      return { grew: growth > 0, fast: growth > fastGrowthBytes }
    },

    async finish() {
      await emptying
      const state: OutputState = { index, liveSize: sizeOf(file) }
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
      const handle = await open(join(directory, name), 'r')
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
