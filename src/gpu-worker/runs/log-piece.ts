import { logPieceBytes } from '../../domain/wire/prediction.ts'
import { readOutput } from '../../workers/output-reader.ts'

/** A piece of a log, as the protocol tells it. */
export interface LogPiece {
  readonly logs: string
  readonly logs_next: number
  readonly logs_total: number
  readonly logs_dropped: number
}

/**
 * Reads on in the log of a run: what the worker said before it, then its output.
 * @param from byte to go on from
 */
export async function logPiece(directory: string, preamble: string, from: number): Promise<LogPiece> {
  const said = Buffer.from(preamble)
  const offset = Math.max(0, from - said.length)
  const slice = await readOutput(directory, { offset, maxBytes: logPieceBytes })
  const total = said.length + slice.totalBytes
  const bytes = from < said.length ? Buffer.concat([said.subarray(from), slice.bytes]) : Buffer.from(slice.bytes)
  const kept = withoutHalf(bytes.subarray(0, logPieceBytes))
  const start = from < said.length ? from : said.length + slice.offset
  return {
    logs: kept.toString('utf8'),
    logs_next: kept.length === 0 ? Math.max(start, Math.min(from, total)) : start + kept.length,
    logs_total: total,
    logs_dropped: slice.droppedBytes,
  }
}

/** What ends inside a character ends before it, unless nothing would be left. */
function withoutHalf(bytes: Buffer): Buffer {
  for (let back = 1; back <= Math.min(3, bytes.length - 1); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0
    if ((byte & 0xc0) === 0x80) continue
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    return needed > back ? bytes.subarray(0, bytes.length - back) : bytes
  }
  return bytes
}
