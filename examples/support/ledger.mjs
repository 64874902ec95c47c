import { readFileSync } from 'node:fs'

/** @returns the lines that the stand-ins wrote into a file, split at spaces; [] before the first */
export function readLedger(file) {
  let text = ''
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return []
  }
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(' '))
}

/** @returns how often each value occurs */
export function countOf(values) {
  const counts = new Map()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return counts
}
