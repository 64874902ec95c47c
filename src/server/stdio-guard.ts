import { Readable, type Writable } from 'node:stream'
import { createLineSplitter, type Line, type OversizeLine } from './line-splitter.ts'
import { type CheckedMessage, checkMessage } from './message-check.ts'
import { invalidRequest, parseError, protocolError } from './protocol-error.ts'

/** Longest message that is taken, in bytes; larger data belongs into a file whose path is passed. */
export const maxMessageBytes = 10 * 1024 * 1024

/** Messages handed on before the answers get a turn, so that a slow reader is noticed inside a burst. */
const messagesPerTurn = 32

/**
 * Bytes that are read ahead while the client does not read its answers. Without reading on, the end of stdin would not
 * be noticed; without a bound, memory would grow.
 */
const readAheadBytes = 8 * 1024 * 1024

/** What a waiting line takes beside its bytes, or the error that answers it. */
const lineOverheadBytes = 256

const byteOrderMark = Buffer.of(0xef, 0xbb, 0xbf)

export interface GuardOptions {
  readonly stdin: Readable
  /** Where answers go; no message is handed on while it waits for its reader. */
  readonly output: Writable
  readonly maxBytes?: number
  /** Default: what the protocol allows. */
  readonly check?: (bytes: Buffer) => CheckedMessage
  /** True while so many requests wait for their answers that no more should be handed on. */
  readonly isFull: () => boolean
  /** Called once: stdin has ended. */
  readonly onInputEnd: () => void
  /** Called once, later: everything that came was handed on. */
  readonly onHandedOn: () => void
}

export interface GuardedInput {
  /** Given to the protocol transport instead of stdin. */
  readonly stream: Readable
  /** To be called when `isFull` may have changed. */
  proceed(): void
}

/** @returns the JSON-RPC error for a message that was too large to be read. */
export function oversizeAnswer(line: OversizeLine, maxBytes: number): string {
  const message =
    `The message is ${line.bytes} bytes long; at most ${maxBytes} bytes are taken, so it was dropped and nothing was ` +
    'done. Write large data to a file and pass its path, then call again.'
  const data = { bytes: line.bytes, max_bytes: maxBytes }
  // An error whose request id is unknown carries none.
  if (!line.isCall) return protocolError(parseError, message, { data })
  return protocolError(invalidRequest, message, line.id === undefined ? { data } : { data, id: line.id })
}

function isBlank(bytes: Buffer): boolean {
  return bytes.length === 1 || (bytes.length === 2 && bytes[0] === 0x0d)
}

/** Programs of Windows put a mark of byte order before what they write. */
function withoutMark(bytes: Buffer): Buffer {
  const marked = bytes.length > byteOrderMark.length && bytes.subarray(0, byteOrderMark.length).equals(byteOrderMark)
  return marked ? bytes.subarray(byteOrderMark.length) : bytes
}

/** What waits: a message for the protocol, or the error that answers a line which is none. */
type Waiting =
  | { readonly bytes: Buffer; readonly kind: 'request' | 'notification' | 'answer' }
  | { readonly error: string }

function sizeOf(waiting: Waiting): number {
  return lineOverheadBytes + ('bytes' in waiting ? waiting.bytes.length : 0)
}

/**
 * Stands between stdin and the protocol: hands whole messages on, answers what is none with an error, so that no client waits
 * in vain, and takes no more requests while the client does not read its answers, so that memory stays bounded.
 */
export function guardInput(options: GuardOptions): GuardedInput {
  const { stdin, output } = options
  const maxBytes = options.maxBytes ?? maxMessageBytes
  const check = options.check ?? checkMessage
  const splitter = createLineSplitter(maxBytes)
  const stream = new Readable({ read() {} })
  let waiting: Waiting[] = []
  let position = 0
  let waitingBytes = 0
  let ended = false
  let handedOn = false
  let scheduled = false

  const mayGoOn = () => !output.writableNeedDrain && !options.isFull()

  const handOn = (next: Waiting) => {
    waitingBytes -= sizeOf(next)
    if ('bytes' in next) stream.push(next.bytes)
    else output.write(next.error)
  }

  const pump = () => {
    const turnEnd = Math.min(position + messagesPerTurn, waiting.length)
    while (position < turnEnd && mayGoOn()) {
      const next = waiting[position]
      position += 1
      if (next !== undefined) handOn(next)
    }
    if (position === waiting.length) {
      waiting = []
      position = 0
      if (ended) finish()
    } else if (mayGoOn()) {
      schedule()
    }
    if (waitingBytes >= readAheadBytes) stdin.pause()
    else if (stdin.isPaused()) stdin.resume()
  }

  const schedule = () => {
    if (scheduled) return
    scheduled = true
    setImmediate(() => {
      scheduled = false
      pump()
    })
  }

  const finish = () => {
    if (handedOn) return
    handedOn = true
    options.onHandedOn()
  }

  const read = (line: Line): Waiting | null => {
    if (line.kind === 'oversize') return { error: oversizeAnswer(line, maxBytes) }
    if (isBlank(line.bytes)) return null
    const bytes = withoutMark(line.bytes)
    const checked = check(bytes)
    if (checked.kind !== 'refused') return { bytes, kind: checked.kind }
    return checked.error === null ? null : { error: checked.error }
  }

  const take = (lines: readonly Line[]) => {
    for (const line of lines) {
      const next = read(line)
      if (next === null) continue
      // Requests in progress may be waiting for what the client answers, and keep others from being taken.
      if ('bytes' in next && next.kind === 'answer' && options.isFull()) {
        stream.push(next.bytes)
        continue
      }
      waiting.push(next)
      waitingBytes += sizeOf(next)
    }
    if (!scheduled) pump()
  }

  const end = () => {
    if (ended) return
    ended = true
    options.onInputEnd()
    take(splitter.end())
  }

  stdin.on('data', (chunk: Buffer) => take(splitter.push(chunk)))
  stdin.on('end', end)
  stdin.on('close', end)
  stdin.on('error', end)
  output.on('drain', schedule)
  return {
    stream,
    proceed() {
      if (position < waiting.length) schedule()
    },
  }
}
