import { readFileSync } from 'node:fs'
import { cutText } from '../domain/cut-text.ts'
import type { Json } from '../domain/job.ts'
import { assertPlainFile } from './read-text.ts'
import { fileError, sourceError } from './source-item.ts'

/** It is read at once; with its values it must fit into the memory of the enumerator. */
const largestFileBytes = 128 * 1024 * 1024

/**
 * One unit an element of an array in a JSON file.
 * @param path keys to the array, such as `data.items`; empty: the file is the array
 * @throws QueueError invalid_input saying what is there instead of an array
 */
export function* jsonItems(file: string, path: string): Generator<Json, void, undefined> {
  const { bytes } = assertPlainFile(file)
  if (bytes > largestFileBytes) {
    throw sourceError(
      `${file} has ${bytes} bytes; a JSON file may have ${largestFileBytes}`,
      'Write one value a line and use {"kind":"lines"}, or put it into an SQLite file.',
    )
  }
  const whole = parse(file)
  const found = follow(whole, path, file)
  if (!Array.isArray(found)) {
    throw sourceError(
      `${where(path)} of ${file} is ${kindOf(found)}, not an array`,
      Array.isArray(whole) ? 'The file itself is an array: leave path out.' : 'Give path: the keys to an array.',
    )
  }
  yield* found
}

function parse(file: string): Json {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall !== undefined) throw fileError('the file', file, error)
    throw sourceError(`${file} is not UTF-8 text`, 'Save it as UTF-8.', error)
  }
  try {
    return JSON.parse(text) as Json
  } catch (error) {
    throw sourceError(
      `${file} is not JSON: ${cutText((error as Error).message, 200)}`,
      'Correct it. A file with one JSON value a line is read by {"kind":"lines"}.',
      error,
    )
  }
}

function follow(whole: Json, path: string, file: string): Json {
  let value = whole
  const passed: string[] = []
  for (const key of path === '' ? [] : path.split('.')) {
    const fields = typeof value === 'object' && value !== null ? (value as Record<string, Json>) : {}
    const next = Object.hasOwn(fields, key) && !(Array.isArray(value) && key === 'length') ? fields[key] : undefined
    if (next === undefined) {
      throw sourceError(
        `${where(passed.join('.'))} of ${file} is ${kindOf(value)} and has no "${key}"`,
        'Correct path: keys with dots between, such as data.items.',
      )
    }
    value = next
    passed.push(key)
  }
  return value
}

function where(path: string): string {
  return path === '' ? 'the top' : `"${path}"`
}

function kindOf(value: Json): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value !== 'object') return `a ${typeof value}`
  const keys = Object.keys(value)
  return keys.length === 0
    ? 'an empty object'
    : `an object with ${cutText(keys.slice(0, 20).join(', '), 300)}${keys.length > 20 ? ' …' : ''}`
}
