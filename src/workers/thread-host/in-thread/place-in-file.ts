import { pathToFileURL } from 'node:url'

/** @returns the first line of a stack that lies in this file, as `<file>:<line>:<column>`; null when none does */
export function placeIn(stack: string, file: string): string | null {
  for (const name of [file, pathToFileURL(file).href]) {
    const at = stack.indexOf(`${name}:`)
    if (at < 0) continue
    const place = /^:\d+(:\d+)?/.exec(stack.slice(at + name.length, at + name.length + 24))
    if (place !== null) return file + place[0]
  }
  return null
}
