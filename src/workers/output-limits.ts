import type { OutputPiece } from './output-index.ts'

/** How much of an output is kept: a quarter as the head, the rest as the tail. */
export interface OutputLimits {
  readonly headBytes: number
  readonly tailBytes: number
  /** The live file is emptied when it grew larger than this. */
  readonly firstLiveBytes: number
  readonly laterLiveBytes: number
}

const slackBytes = 256 * 1024

export function outputLimits(maxOutputBytes: number): OutputLimits {
  const headBytes = Math.floor(maxOutputBytes / 4)
  const tailBytes = maxOutputBytes - headBytes
  return {
    headBytes,
    tailBytes,
    firstLiveBytes: maxOutputBytes + slackBytes,
    laterLiveBytes: Math.max(slackBytes, Math.floor(tailBytes / 2)),
  }
}

/**
 * Shortens the pieces of the tail from the front until, with the live file, they hold at most `tailBytes`.
 * @param pieces head (the first piece that starts at 0) and tail
 */
export function trimTail(pieces: readonly OutputPiece[], liveSize: number, tailBytes: number): readonly OutputPiece[] {
  let room = Math.max(0, tailBytes - liveSize)
  const kept: OutputPiece[] = []
  for (const piece of pieces.toReversed()) {
    if (piece.start === 0) {
      kept.push(piece)
      continue
    }
    const length = Math.min(piece.length, room)
    room -= length
    const cut = piece.length - length
    if (length > 0) kept.push({ file: piece.file, skip: piece.skip + cut, start: piece.start + cut, length })
  }
  return kept.reverse()
}
