import { fstatSync, ftruncateSync, readSync, writeSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { createAnew, errorCode, openRegularHandle } from './attempt-access.ts'
import { attemptFiles } from './attempt-files.ts'
import { type OutputIndex, type OutputPiece, removePieces, writeOutputIndex } from './output-index.ts'
import { type OutputLimits, trimTail } from './output-limits.ts'

const pieceBytes = 256 * 1024
/** Copied without a pause at the very end, so that a command that writes at a human pace loses nothing. */
const lastCopyBytes = 512 * 1024
const catchUpRounds = 4
/** A flood is emptied a hundred times a GiB; a buffer for each would be tens of MiB until they are collected. */
let spareBuffer: Buffer | null = null

/**
 * Copies what is to be kept of the live output to head and tail files and empties it. The command goes on writing: the
 * file is open for append, so its next write lands at the new end. What it writes faster than it can be copied is
 * dropped and counted. What it writes between the last look and the truncation is dropped uncounted: nothing for a
 * command that pauses, a few percent of a flood.
 * @returns the new index, already on disk
 */
export async function emptyLiveOutput(
  directory: string,
  index: OutputIndex,
  limits: OutputLimits,
): Promise<OutputIndex> {
  const live = await openRegularHandle(join(directory, attemptFiles.output), true)
  const buffer = spareBuffer ?? Buffer.allocUnsafe(pieceBytes)
  spareBuffer = null
  const tailFile = `${attemptFiles.outputTail}.${index.generation + 1}`
  let tail: FileHandle | null = null
  try {
    const size = (await live.stat()).size
    const pieces: OutputPiece[] = [...index.pieces]
    let from = Math.max(0, size - limits.tailBytes)
    if (index.liveStart === 0 && pieces.length === 0) {
      const length = await copyHead(
        join(directory, attemptFiles.outputHead),
        live,
        Math.min(limits.headBytes, size),
        buffer,
      )
      if (length > 0) pieces.push({ file: attemptFiles.outputHead, skip: 0, start: 0, length })
      from = Math.max(from, length)
    }

    tail = await createAnew(join(directory, tailFile))
    let end = await copyAsync(live, tail, from, size, buffer)
    for (let round = 0; round < catchUpRounds; round++) {
      const now = (await live.stat()).size
      // Further behind, only the newest bytes are worth the space: they are copied at the very end.
      if (now - end <= lastCopyBytes || now - end > limits.tailBytes / 8) break
      end = await copyAsync(live, tail, end, now, buffer)
    }

    // Begun anew further on when the command was faster: one tail file may hold several ranges, one after the other.
    const ranges = [{ start: from, length: end - from }]
    const keptPieces = (): readonly OutputPiece[] => {
      let skip = 0
      const kept = [...pieces]
      for (const { start, length } of ranges) {
        if (length > 0) kept.push({ file: tailFile, skip, start: index.liveStart + start, length })
        skip += length
      }
      return trimTail(kept, 0, limits.tailBytes)
    }
    const copyUntil = (target: number): void => {
      let range = ranges[ranges.length - 1] as { start: number; length: number }
      if (target - (range.start + range.length) > lastCopyBytes) {
        // The command may end at any moment: its last words count more than what is passed over here.
        range = { start: target - lastCopyBytes, length: 0 }
        ranges.push(range)
      }
      const written = ranges.reduce((sum, one) => sum + one.length, 0)
      const at = range.start + range.length
      range.length += copySync(live.fd, tail?.fd ?? -1, at - written, at, target, buffer) - at
    }
    // From here to the truncation in one go. The plan is written first: a death right after leaves no doubt.
    const known = fstatSync(live.fd).size
    copyUntil(known)
    const pending = { size: known, pieces: keptPieces(), liveStart: index.liveStart + known }
    tryWrite(directory, { ...index, generation: index.generation + 1, pending })
    let last = fstatSync(live.fd).size
    // The command may have emptied it meanwhile: what was copied counts all the same.
    let highest = Math.max(size, end, known, last)
    for (let round = 0, copied = known; round < catchUpRounds && last > copied; round++) {
      copied = last
      copyUntil(copied)
      last = fstatSync(live.fd).size
      highest = Math.max(highest, last)
    }
    ftruncateSync(live.fd, 0)

    const result = {
      generation: index.generation + 2,
      pieces: keptPieces(),
      liveStart: index.liveStart + highest,
      pending: null,
    }
    writeOutputIndex(directory, result)
    removePieces(directory, index.pieces, result.pieces)
    return result
  } finally {
    spareBuffer = buffer
    await tail?.close()
    await live.close()
  }
}

async function copyHead(file: string, live: FileHandle, length: number, buffer: Buffer): Promise<number> {
  const target = await createAnew(file)
  try {
    return await copyAsync(live, target, 0, length, buffer)
  } finally {
    await target.close()
  }
}

/** Copies [from, to) and leaves the event loop free. @returns the end reached. */
async function copyAsync(
  live: FileHandle,
  target: FileHandle,
  from: number,
  to: number,
  buffer: Buffer,
): Promise<number> {
  let at = from
  while (at < to) {
    const { bytesRead } = await live.read(buffer, 0, Math.min(buffer.length, to - at), at)
    if (bytesRead === 0) break
    try {
      let done = 0
      while (done < bytesRead) done += (await target.write(buffer, done, bytesRead - done)).bytesWritten
    } catch (error) {
      if (isDiskFull(error)) break
      throw error
    }
    at += bytesRead
  }
  return at
}

function copySync(live: number, tail: number, tailStart: number, from: number, to: number, buffer: Buffer): number {
  let at = from
  while (at < to) {
    const length = readSync(live, buffer, 0, Math.min(buffer.length, to - at), at)
    if (length === 0) break
    try {
      let done = 0
      while (done < length) done += writeSync(tail, buffer, done, length - done, at - tailStart + done)
    } catch (error) {
      if (isDiskFull(error)) break
      throw error
    }
    at += length
  }
  return at
}

/** A full disk must not keep the live file from being emptied: that is what frees it. Less is kept then. */
function isDiskFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(errorCode(error))
}

function tryWrite(directory: string, index: OutputIndex): void {
  try {
    writeOutputIndex(directory, index)
  } catch {
    // Only a death in the next microseconds would miss it.
  }
}
