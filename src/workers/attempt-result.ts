import { closeSync, fstatSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { Json } from '../domain/job.ts'
import type { OutputFacts } from '../domain/ports/attempt.ts'
import { errorCode, isPassing, openRegular } from './attempt-access.ts'
import { attemptFiles } from './attempt-files.ts'
import { cleanMessage } from './progress/clean-line.ts'

/** Most bytes of a result file. */
const resultBytes = 256 * 1024
/** Deeper values break what works on them by recursion. */
const deepest = 100

type ResultFacts = Pick<OutputFacts, 'result' | 'resultProblem'>

/** Where a command finds the path of its result file. */
export const resultVariable = 'NIGHTKILN_RESULT'

export function resultFile(directory: string): string {
  return join(directory, attemptFiles.result)
}

/**
 * What a command left as its result: nothing, a value, or why it cannot be taken. The file is the command's: a link, a pipe
 * or a device in its place is not opened or read.
 * @throws the system's error when there is no descriptor or memory to read it with now
 */
export function readResult(directory: string): ResultFacts {
  let text: string | null
  try {
    text = readBounded(resultFile(directory))
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return {}
    if (isPassing(error) && code !== 'EIO') throw error
    if (code === 'ENOTREG' || code === 'ELOOP') return { resultProblem: 'it is not a regular file' }
    return { resultProblem: `it cannot be read (${code})` }
  }
  if (text === null) return { resultProblem: `it is larger than ${resultBytes / 1024} KiB` }
  if (text.trim() === '') return { resultProblem: 'it is empty' }
  let result: Json
  try {
    result = JSON.parse(text) as Json
  } catch (error) {
    return { resultProblem: `it is not JSON (${cleanMessage((error as Error).message)})` }
  }
  if (depthOver(result, deepest)) return { resultProblem: `it is nested deeper than ${deepest} levels` }
  return { result: withoutPrototypes(text, result) }
}

/** @returns null when it is too large */
function readBounded(file: string): string | null {
  const descriptor = openRegular(file)
  try {
    if (fstatSync(descriptor).size > resultBytes) return null
    // One byte more than allowed: it may grow while it is read.
    const buffer = Buffer.allocUnsafe(resultBytes + 1)
    let length = 0
    for (let count = 1; count > 0 && length < buffer.length; length += count) {
      count = readSync(descriptor, buffer, length, buffer.length - length, null)
    }
    if (length > resultBytes) return null
    return new TextDecoder().decode(buffer.subarray(0, length))
  } finally {
    closeSync(descriptor)
  }
}

/** JSON makes `__proto__` a key like any other; whoever copies it by assignment would set a prototype. It is left out. */
function withoutPrototypes(text: string, value: Json): Json {
  // An escape may spell it too.
  if (!text.includes('__proto__') && !text.includes('\\u')) return value
  return JSON.parse(text, (key, one: Json) => (key === '__proto__' ? undefined : one)) as Json
}

function depthOver(value: Json, most: number): boolean {
  let level: readonly Json[] = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > most) return true
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? (Object.values(one) as Json[]) : []))
  }
  return false
}
