import { Writable } from 'node:stream'

type RawWrite = (chunk: string | Uint8Array, done: (error?: Error | null) => void) => unknown

/** Bytes that may wait for a slow reader before no more requests are taken. */
export const outputHighWaterBytes = 256 * 1024

export interface ProtocolOutput {
  /** The only way to the client; `writableNeedDrain` is true while the client reads too slowly. */
  readonly stream: Writable
  /** Gives `process.stdout.write` back. */
  restore(): void
}

/**
 * Takes stdout for protocol messages alone: whatever else writes to it, `console.log` in a library included, goes to
 * stderr, where it cannot break the protocol.
 */
export function takeProtocolOutput(stdout: NodeJS.WriteStream = process.stdout): ProtocolOutput {
  const original = stdout.write
  const rawWrite = original.bind(stdout) as RawWrite
  const stream = new Writable({
    highWaterMark: outputHighWaterBytes,
    write: (chunk: Buffer, _encoding, done) => {
      rawWrite(chunk, done)
    },
    // Answers of a burst leave in one write.
    writev: (chunks, done) => {
      rawWrite(Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer)), done)
    },
  })
  // Every answer that waits for a slow reader listens on the stream.
  stream.setMaxListeners(0)

  stdout.write = process.stderr.write.bind(process.stderr) as typeof stdout.write
  return {
    stream,
    restore() {
      stdout.write = original
    },
  }
}
