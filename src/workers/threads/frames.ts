/** Bytes of one frame's JSON at most: a length beyond it is a stray byte or a defect, and nothing that long is waited for. */
export const frameLimitBytes = 64 * 1024 * 1024

const headerBytes = 4

/** What came is no frame, or what is to be sent fits into none: the connection is of no more use. */
export class FrameError extends Error {
  /** What was whole before it. */
  readonly messages: readonly object[]

  constructor(message: string, messages: readonly object[] = []) {
    super(message)
    this.name = 'FrameError'
    this.messages = messages
  }
}

/**
 * @returns one frame with all messages, header included
 * @throws FrameError when they are longer than a frame may be
 */
export function encodeFrame(messages: readonly object[]): Buffer {
  return encodeFrameOfTexts(messages.map((message) => JSON.stringify(message)))
}

/**
 * As encodeFrame, for messages that are JSON already.
 * @throws FrameError when they are longer than a frame may be
 */
export function encodeFrameOfTexts(texts: readonly string[]): Buffer {
  const text = `[${texts.join(',')}]`
  const length = Buffer.byteLength(text)
  if (length > frameLimitBytes) throw new FrameError(`a frame of ${length} bytes is longer than ${frameLimitBytes}`)
  const frame = Buffer.allocUnsafe(headerBytes + length)
  frame.writeUInt32BE(length, 0)
  frame.write(text, headerBytes)
  return frame
}

/** Makes messages of the bytes of a connection, in whatever pieces they come. */
export class FrameDecoder {
  readonly #limit: number
  #pieces: Buffer[] = []
  #bytes = 0
  /** Of the frame that is awaited; null while its header is not complete. */
  #length: number | null = null

  constructor(limit = frameLimitBytes) {
    this.#limit = limit
  }

  /**
   * @returns the messages of all frames that are complete by now, in order
   * @throws FrameError when a frame is too long, or is no JSON array of objects
   */
  push(piece: Buffer): readonly object[] {
    this.#pieces.push(piece)
    this.#bytes += piece.length
    const messages: object[] = []
    try {
      for (;;) {
        this.#length ??= this.#readLength()
        if (this.#length === null || this.#bytes < this.#length) return messages
        const text = this.#take(this.#length).toString('utf8')
        this.#length = null
        for (const message of parseFrame(text)) messages.push(message)
      }
    } catch (error) {
      throw new FrameError((error as Error).message, messages)
    }
  }

  #readLength(): number | null {
    if (this.#bytes < headerBytes) return null
    const length = this.#take(headerBytes).readUInt32BE(0)
    if (length > this.#limit) throw new FrameError(`a frame of ${length} bytes is longer than ${this.#limit}`)
    return length
  }

  /** Joins pieces only when all of them are there: a frame that comes in a thousand pieces is copied once. */
  #take(length: number): Buffer {
    let bytes = 0
    let count = 0
    while (bytes < length) {
      bytes += this.#pieces[count]?.length ?? 0
      count += 1
    }
    const taken = this.#pieces.splice(0, count)
    const joined = taken.length === 1 ? (taken[0] as Buffer) : Buffer.concat(taken, bytes)
    if (bytes > length) this.#pieces.unshift(joined.subarray(length))
    this.#bytes -= length
    return joined.subarray(0, length)
  }
}

function parseFrame(text: string): readonly object[] {
  let messages: unknown
  try {
    messages = JSON.parse(text)
  } catch {
    throw new FrameError('a frame is not JSON')
  }
  if (!Array.isArray(messages) || !messages.every((one) => typeof one === 'object' && one !== null)) {
    throw new FrameError('a frame is not an array of messages')
  }
  return messages as readonly object[]
}
