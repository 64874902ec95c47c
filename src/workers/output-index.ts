import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { isPassing, readRegular, replaceFile, sizeOf } from './attempt-access.ts'
import { attemptFiles } from './attempt-files.ts'

/** A kept range of the output: `length` bytes from logical offset `start`, found at `skip` in the file. */
export interface OutputPiece {
  readonly file: string
  readonly skip: number
  readonly start: number
  readonly length: number
}

/** Where the kept output is. Logical offsets count every byte the command wrote; the live file begins at `liveStart`. */
export interface OutputIndex {
  /** Rises with every change, so that a reader notices one. */
  readonly generation: number
  /** Head and tail pieces, in order, without the live file. */
  readonly pieces: readonly OutputPiece[]
  readonly liveStart: number
  /**
   * Set while the live file is about to be emptied. Smaller than `size` now: it was, and `pieces` and `liveStart` of
   * this record count; else it was not.
   */
  readonly pending: {
    readonly size: number
    readonly pieces: readonly OutputPiece[]
    readonly liveStart: number
  } | null
}

export interface OutputState {
  readonly index: OutputIndex
  readonly liveSize: number
}

const empty: OutputIndex = { generation: 0, pieces: [], liveStart: 0, pending: null }

/** The command can write there too: only what this module could have written is believed, no path leads elsewhere. */
const count = z
  .int()
  .nonnegative()
  .max(2 ** 50)
const pieceRecord = z.object({
  file: z.string().regex(/^output\.(?:head|tail\.\d{1,16})$/),
  skip: count,
  start: count,
  length: count,
})
const pieceRecords = z.array(pieceRecord).max(10_000)
const indexRecord = z.object({
  generation: count,
  pieces: pieceRecords,
  liveStart: count,
  pending: z.object({ size: count, pieces: pieceRecords, liveStart: count }).nullable(),
})
const indexBytes = 1024 * 1024

/**
 * @returns the index of an attempt's output and the size of its live file, an interrupted change resolved
 * @throws the system's error when the index cannot be read now
 */
export function readOutputState(directory: string): OutputState {
  const index = readIndex(join(directory, attemptFiles.outputIndex))
  const liveSize = sizeOf(join(directory, attemptFiles.output))
  const { pending } = index
  if (pending === null) return { index, liveSize }
  const emptied = liveSize < pending.size
  const { pieces, liveStart } = emptied ? pending : index
  return { index: { generation: index.generation, pieces, liveStart, pending: null }, liveSize }
}

function readIndex(file: string): OutputIndex {
  try {
    return indexRecord.parse(JSON.parse(readRegular(file, indexBytes)))
  } catch (error) {
    if (isPassing(error)) throw error
    return empty
  }
}

/** Replaces the index as a whole. */
export function writeOutputIndex(directory: string, index: OutputIndex): void {
  replaceFile(join(directory, attemptFiles.outputIndex), JSON.stringify(index))
}

/** Removes files that no piece names any more. */
export function removePieces(directory: string, before: readonly OutputPiece[], after: readonly OutputPiece[]): void {
  for (const { file } of before) {
    if (!after.some((piece) => piece.file === file)) rmSync(join(directory, file), { recursive: true, force: true })
  }
}

export function totalOf(state: OutputState): number {
  return state.index.liveStart + state.liveSize
}

/** @returns kept ranges in order, the live file last. */
export function keptPieces({ index, liveSize }: OutputState): readonly OutputPiece[] {
  const live = { file: attemptFiles.output, skip: 0, start: index.liveStart, length: liveSize }
  return liveSize > 0 ? [...index.pieces, live] : index.pieces
}

/** @returns bytes written by the command that are kept no more. */
export function droppedOf(state: OutputState): number {
  return Math.max(0, totalOf(state) - keptPieces(state).reduce((sum, piece) => sum + piece.length, 0))
}
