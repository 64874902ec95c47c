import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs'
import { type Logger, pino } from 'pino'

const keptFiles = 3

/**
 * @returns a logger that writes JSON lines to a file of mode 0600 and rotates it by size, keeping three old ones. A log that
 * cannot be written (full disk) is dropped line by line: the work matters more.
 */
export function createRotatingLog(
  file: string,
  options: { readonly level: string; readonly maxBytes: number },
): Logger {
  let descriptor = openSync(file, 'a', 0o600)
  let size = fstatSync(descriptor).size

  function rotate(): void {
    closeSync(descriptor)
    for (let number = keptFiles - 1; number >= 1; number -= 1)
      renameIfThere(`${file}.${number}`, `${file}.${number + 1}`)
    renameIfThere(file, `${file}.1`)
    descriptor = openSync(file, 'a', 0o600)
    size = 0
  }

  const stream = {
    write(line: string): void {
      try {
        if (size > options.maxBytes) rotate()
        size += writeSync(descriptor, line)
      } catch {
        // Nowhere to say it: stdio of the manager goes nowhere.
      }
    },
  }
  return pino({ level: options.level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime }, stream)
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch {
    // The first rotations have fewer files.
  }
}
