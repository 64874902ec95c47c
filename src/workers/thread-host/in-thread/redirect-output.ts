import { writeSync } from 'node:fs'
import { Writable } from 'node:stream'
import type { ThreadState } from './thread-state.ts'

const hostLog = 2

/** Makes stdout, stderr and the console write into the output of the attempt they are used in; between attempts into host.log. */
export function redirectOutput(thread: ThreadState): void {
  const write = (bytes: Uint8Array): void => {
    const attempt = thread.owner()
    if (attempt !== null && !attempt.hasEnded) attempt.output.write(bytes)
    else writeHostLog(bytes)
  }
  for (const name of ['stdout', 'stderr'] as const) {
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        write(chunk)
        done()
      },
    })
    Object.defineProperty(process, name, { value: stream, configurable: true, enumerable: true, writable: true })
  }
}

export function writeHostLog(bytes: Uint8Array | string): void {
  try {
    writeSync(hostLog, typeof bytes === 'string' ? Buffer.from(bytes) : bytes)
  } catch {
    // Nobody is left to be told.
  }
}
