import { closeSync, fstatSync, openSync, readSync, truncateSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { hostFiles } from '../threads/host-files.ts'

const largestBytes = 1024 * 1024
const keptBytes = 256 * 1024

/** Adds a line to host.log: the host's stderr. */
export function logLine(message: string): void {
  process.stderr.write(`${new Date().toISOString()} ${message}\n`)
}

/** Shortens host.log to its last part when it has grown too long: threads and V8 write there, too. */
export function trimHostLog(directory: string): void {
  const file = join(directory, hostFiles.log)
  try {
    const descriptor = openSync(file, 'r+')
    try {
      const { size } = fstatSync(descriptor)
      if (size <= largestBytes) return
      const tail = Buffer.allocUnsafe(keptBytes)
      const length = readSync(descriptor, tail, 0, keptBytes, size - keptBytes)
      // Everybody writes at its end, wherever that is.
      truncateSync(file, 0)
      writeSync(process.stderr.fd, tail, 0, length)
    } finally {
      closeSync(descriptor)
    }
  } catch {
    // There is none, or no descriptor for it now.
  }
}
