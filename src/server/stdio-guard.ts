import { Readable, type Writable } from 'node:stream'
import { createLineSplitter, type Line, type OversizeLine } from './line-splitter.ts'

/** Longest message that is taken, in bytes; larger data belongs into a file whose path is passed. */
export const maxMessageBytes = 10 * 1024 * 1024

/** Messages handed on before the answers get a turn, so that a slow reader is noticed inside a burst. */
const messagesPerTurn = 32

/**
 * Bytes that are read ahead while the client does not read its answers. Without reading on, the end of stdin would not
 * be noticed; without a bound, memory would grow.
 */
const readAheadBytes = 8 * 1024 * 1024

const invalidRequest = -32600
const parseError = -32700

export interface GuardOptions {
  readonly stdin: Readable
  /** Where answers go; no message is handed on while it waits for its reader. */
  readonly output: Writable
  readonly maxBytes?: number
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
  const error = {
    code: line.isCall ? invalidRequest : parseError,
    message,
    data: { bytes: line.bytes, max_bytes: maxBytes },
  }
  // An error whose request id is unknown carries none.
  const id = line.isCall && line.id !== undefined ? { id: line.id } : {}
  return `${JSON.stringify({ jsonrpc: '2.0', ...id, error })}\n`
}

function isBlank(line: Line): boolean {
  return line.kind === 'line' && (line.bytes.length === 1 || (line.bytes.length === 2 && line.bytes[0] === 0x0d))
}

function sizeOf(line: Line): number {
  return line.kind === 'line' ? line.bytes.length : 0
}

/**
 * Stands between stdin and the protocol: hands whole lines on, answers a line over the limit with an error instead of
 * dying of it, and takes no more requests while the client does not read its answers, so that memory stays bounded.
 */
export function guardInput(options: GuardOptions): GuardedInput {
  const { stdin, output } = options
  const maxBytes = options.maxBytes ?? maxMessageBytes
  const splitter = createLineSplitter(maxBytes)
  const stream = new Readable({ read() {} })
  let waiting: Line[] = []
  let position = 0
  let waitingBytes = 0
  let ended = false
  let handedOn = false
  let scheduled = false

  const mayGoOn = () => !output.writableNeedDrain && !options.isFull()

  const handOn = (line: Line) => {
    waitingBytes -= sizeOf(line)
    if (line.kind === 'line') stream.push(line.bytes)
    else output.write(oversizeAnswer(line, maxBytes))
  }

  const pump = () => {
    const turnEnd = Math.min(position + messagesPerTurn, waiting.length)
    while (position < turnEnd && mayGoOn()) {
      const line = waiting[position]
      position += 1
      if (line !== undefined) handOn(line)
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

  const take = (lines: readonly Line[]) => {
    for (const line of lines) {
      if (isBlank(line)) continue
      waiting.push(line)
      waitingBytes += sizeOf(line)
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
