import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Logger, pino } from 'pino'
import { makeDirectory } from '../../platform/make-directory.ts'

const keptFiles = 3

/**
 * @returns a logger that writes JSON lines to a file of mode 0600 and rotates it by size, keeping three old ones. A log that
 * cannot be written (full disk) is dropped line by line: the work matters more.
 */
export function createRotatingLog(
  file: string,
  options: { readonly level: string; readonly maxBytes: number },
): Logger {
  let descriptor = openLog(file)
  let size = fstatSync(descriptor).size
  let rotateAbove = options.maxBytes

  function rotate(): void {
    // Until the next file is open the old one stays: the number of a closed descriptor soon belongs to another file.
    rotateAbove = size + options.maxBytes
    const fresh = `${file}.new`
    const next = openLog(fresh)
    for (let number = keptFiles - 1; number >= 1; number -= 1)
      renameIfThere(`${file}.${number}`, `${file}.${number + 1}`)
    renameIfThere(file, `${file}.1`)
    renameIfThere(fresh, file)
    const old = descriptor
    descriptor = next
    size = fstatSync(next).size
    rotateAbove = options.maxBytes
    closeSync(old)
  }

  const stream = {
    write(line: string): void {
      tryTo(() => {
        if (size > rotateAbove) rotate()
      })
      tryTo(() => {
        size += writeSync(descriptor, line)
      })
    },
  }
  return pino({ level: options.level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime }, stream)
}

/** Opens for append; a folder that somebody removed is made again. */
function openLog(file: string): number {
  try {
    return openSync(file, 'a', 0o600)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    makeDirectory(dirname(file))
    return openSync(file, 'a', 0o600)
  }
}

function tryTo(effect: () => void): void {
  try {
    effect()
  } catch {
    // Nowhere to say it: stdio of the manager goes nowhere.
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch {
    // The first rotations have fewer files.
  }
}
