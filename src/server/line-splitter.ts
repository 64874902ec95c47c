import { createMessageIdScanner, type MessageIdScanner } from './message-id-scanner.ts'

const newline = 0x0a
const smallestBuffer = 4_096

/** A line over the limit: its bytes are gone, what is needed to answer it is kept. */
export interface OversizeLine {
  readonly kind: 'oversize'
  readonly bytes: number
  readonly id: string | number | undefined
  readonly isCall: boolean
}

/** A whole line with its newline. */
export interface WholeLine {
  readonly kind: 'line'
  readonly bytes: Buffer
}

export type Line = WholeLine | OversizeLine

export interface LineSplitter {
  /** @returns the lines that this piece completes, in order. */
  push(chunk: Buffer): readonly Line[]
  /** @returns the last line when the stream ended without a newline. */
  end(): readonly Line[]
}

/**
 * Cuts a byte stream into lines and drops lines over the limit while they come, so that memory stays bounded
 * however the stream is cut into pieces.
 * @param maxLineBytes longest line that is kept, newline not counted
 */
export function createLineSplitter(maxLineBytes: number): LineSplitter {
  let held = Buffer.alloc(0)
  let length = 0
  let scanner: MessageIdScanner | null = null

  const hold = (piece: Buffer) => {
    if (length + piece.length > held.length) {
      const grown = Buffer.allocUnsafe(Math.max(smallestBuffer, (length + piece.length) * 2))
      held.copy(grown, 0, 0, length)
      held = grown
    }
    piece.copy(held, length)
    length += piece.length
  }

  const add = (piece: Buffer) => {
    if (scanner === null && length + piece.length <= maxLineBytes) {
      hold(piece)
      return
    }
    if (scanner === null) {
      scanner = createMessageIdScanner()
      scanner.read(held.subarray(0, length))
      held = Buffer.alloc(0)
    }
    scanner.read(piece)
    length += piece.length
  }

  const finish = (): Line => {
    let line: Line
    if (scanner !== null) {
      line = { kind: 'oversize', bytes: length, id: scanner.id(), isCall: scanner.isCall() }
    } else {
      const bytes = Buffer.allocUnsafe(length + 1)
      held.copy(bytes, 0, 0, length)
      bytes[length] = newline
      line = { kind: 'line', bytes }
    }
    held = Buffer.alloc(0)
    length = 0
    scanner = null
    return line
  }

  const lineWithin = (chunk: Buffer, start: number, at: number): Line => {
    const fits = length === 0 && scanner === null && at - start <= maxLineBytes
    if (fits) return { kind: 'line', bytes: chunk.subarray(start, at + 1) }
    add(chunk.subarray(start, at))
    return finish()
  }

  return {
    push(chunk) {
      const lines: Line[] = []
      let start = 0
      for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, start)) {
        lines.push(lineWithin(chunk, start, at))
        start = at + 1
      }
      if (start < chunk.length) add(chunk.subarray(start))
      return lines
    },
    end: () => (length === 0 ? [] : [finish()]),
  }
}
