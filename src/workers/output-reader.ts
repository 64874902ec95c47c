import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { OutputRequest, OutputSlice } from '../domain/ports/executor.ts'
import { openRegularHandle } from './attempt-access.ts'
import { droppedOf, keptPieces, type OutputPiece, readOutputState, totalOf } from './output-index.ts'

const tries = 5
const pauseMs = 10
const largestRead = 8 * 1024 * 1024

/**
 * Reads kept output by logical offsets. One slice is contiguous: at a dropped range it ends, and the next begins after it.
 * Reads again when the live file was emptied meanwhile.
 */
export async function readOutput(directory: string, request: OutputRequest): Promise<OutputSlice> {
  for (let left = tries; ; left--) {
    const before = readOutputState(directory)
    const slice = await readOnce(directory, before, request).catch((error: unknown) => {
      if (left === 1) throw error
      return null
    })
    const changed = readOutputState(directory).index.generation !== before.index.generation
    if (slice !== null && (!changed || left === 1)) return slice
    await sleep(pauseMs)
  }
}

async function readOnce(
  directory: string,
  state: ReturnType<typeof readOutputState>,
  request: OutputRequest,
): Promise<OutputSlice> {
  const total = totalOf(state)
  const facts = { totalBytes: total, droppedBytes: droppedOf(state) }
  const wanted = request.offset < 0 ? Math.max(0, total + request.offset) : Math.min(request.offset, total)
  const pieces = keptPieces(state).filter((piece) => piece.start + piece.length > wanted)
  const first = pieces[0]
  if (first === undefined) return { bytes: new Uint8Array(0), offset: total, nextOffset: total, ...facts }

  const offset = Math.max(wanted, first.start)
  const chunks: Buffer[] = []
  let end = offset
  let room = Math.min(Math.max(0, request.maxBytes), largestRead)
  for (const piece of pieces) {
    if (room === 0 || piece.start > end) break
    const length = Math.min(room, piece.start + piece.length - end)
    const chunk = await readPiece(directory, piece, end, length)
    chunks.push(chunk)
    end += chunk.length
    room -= chunk.length
    if (chunk.length < length) break
  }
  return { bytes: Buffer.concat(chunks), offset, nextOffset: end, ...facts }
}

async function readPiece(directory: string, piece: OutputPiece, from: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length)
  let handle: FileHandle | null = null
  try {
    handle = await openRegularHandle(join(directory, piece.file))
    let done = 0
    while (done < length) {
      const { bytesRead } = await handle.read(buffer, done, length - done, piece.skip + (from - piece.start) + done)
      if (bytesRead === 0) break
      done += bytesRead
    }
    return buffer.subarray(0, done)
  } finally {
    await handle?.close()
  }
}
