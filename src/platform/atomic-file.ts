import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs'

/** Writes a whole file so that a reader sees the old or the new text, never a half. Mode 0600; durable when it returns. */
export function writeFileAtomic(file: string, text: string): void {
  const temporary = `${file}.${process.pid}.tmp`
  const descriptor = openSync(temporary, 'w', 0o600)
  try {
    writeSync(descriptor, text)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  renameSync(temporary, file)
}
