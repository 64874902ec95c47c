import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
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

export function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}

/** @returns the index of an attempt's output and the size of its live file, an interrupted change resolved. */
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
    return JSON.parse(readFileSync(file, 'utf8')) as OutputIndex
  } catch {
    return empty
  }
}

/** Replaces the index as a whole. */
export function writeOutputIndex(directory: string, index: OutputIndex): void {
  const file = join(directory, attemptFiles.outputIndex)
  writeFileSync(`${file}.tmp`, JSON.stringify(index), { mode: 0o600 })
  renameSync(`${file}.tmp`, file)
}

/** Removes files that no piece names any more. */
export function removePieces(directory: string, before: readonly OutputPiece[], after: readonly OutputPiece[]): void {
  for (const { file } of before) {
    if (!after.some((piece) => piece.file === file)) rmSync(join(directory, file), { force: true })
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
  return totalOf(state) - keptPieces(state).reduce((sum, piece) => sum + piece.length, 0)
}
