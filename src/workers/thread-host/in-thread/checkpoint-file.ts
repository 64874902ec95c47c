import { closeSync, fdatasyncSync, openSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { jsonProblem } from '../../../handler/json-problem.ts'
import { attemptNames } from '../attempt-names.ts'
import { writeJson } from './intrinsics.ts'

const largestBytes = 16 * 1024 * 1024
const heldCodes: readonly string[] = ['EPERM', 'EACCES', 'EBUSY']
const mostTries = 100
const pauseMs = 10

/**
 * Replaces the checkpoint of an attempt; durable when it returns.
 * @throws TypeError when the state is no JSON or too large; the system's error
 */
export function writeCheckpoint(directory: string, state: unknown): void {
  const problem = jsonProblem(state, 'checkpoint')
  if (problem !== null) throw new TypeError(problem)
  const bytes = Buffer.from(writeJson(state))
  if (bytes.length > largestBytes)
    throw new TypeError(`the checkpoint has ${bytes.length} bytes, and may have ${largestBytes} at most`)
  const file = join(directory, attemptNames.checkpoint)
  const temporary = `${file}.tmp`
  const descriptor = openSync(temporary, 'w', 0o600)
  try {
    writeFileSync(descriptor, bytes)
    fdatasyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  replace(temporary, file)
}

/** Elsewhere whoever reads it goes on reading what was there; Windows replaces no file that is open just now. */
function replace(temporary: string, file: string): void {
  for (let tries = 1; ; tries += 1) {
    try {
      renameSync(temporary, file)
      return
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? ''
      if (process.platform !== 'win32' || tries === mostTries || !heldCodes.includes(code)) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs)
    }
  }
}
