/**
 * Changes one property in the text of a JSON file and leaves every other byte as it was: order, spacing, numbers that
 * JavaScript cannot hold, duplicate keys. The text must be valid JSON (checked by the caller).
 */

interface Property {
  readonly key: string
  readonly keyStart: number
  readonly valueStart: number
  readonly valueEnd: number
}

interface JsonObject {
  readonly start: number
  readonly end: number
  readonly properties: readonly Property[]
}

const blank = /[ \t\r\n]/

function skipBlank(text: string, at: number): number {
  let index = at
  while (blank.test(text[index] ?? '')) index += 1
  return index
}

function stringEnd(text: string, start: number): number {
  let index = start + 1
  while (text[index] !== '"') index += text[index] === '\\' ? 2 : 1
  return index + 1
}

function valueEnd(text: string, start: number): number {
  const first = text[start]
  if (first === '"') return stringEnd(text, start)
  if (first !== '{' && first !== '[') {
    let index = start
    while (index < text.length && !/[,\]}\s]/.test(text[index] ?? '')) index += 1
    return index
  }
  let depth = 0
  let index = start
  do {
    const character = text[index]
    if (character === '"') {
      index = stringEnd(text, index)
      continue
    }
    if (character === '{' || character === '[') depth += 1
    if (character === '}' || character === ']') depth -= 1
    index += 1
  } while (depth > 0)
  return index
}

function readObject(text: string, start: number): JsonObject {
  const properties: Property[] = []
  let index = skipBlank(text, start + 1)
  while (text[index] !== '}') {
    const keyStart = index
    const keyEnd = stringEnd(text, keyStart)
    const from = skipBlank(text, skipBlank(text, keyEnd) + 1)
    const to = valueEnd(text, from)
    properties.push({
      key: JSON.parse(text.slice(keyStart, keyEnd)) as string,
      keyStart,
      valueStart: from,
      valueEnd: to,
    })
    index = skipBlank(text, to)
    if (text[index] === ',') index = skipBlank(text, index + 1)
  }
  return { start, end: index + 1, properties }
}

/** The last one wins in JSON.parse, so it is the one to change. */
function find(object: JsonObject, key: string): Property | undefined {
  return object.properties.findLast((property) => property.key === key)
}

function indentOf(text: string): string {
  return /\n([ \t]+)"/.exec(text)?.[1] ?? '  '
}

function lineFeedOf(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n'
}

function written(value: unknown, indent: string, depth: number, lineFeed: string): string {
  return JSON.stringify(value, null, indent).replaceAll('\n', lineFeed + indent.repeat(depth))
}

/** @returns the text with the property at `path` set; missing objects on the way are made. */
export function setProperty(text: string, path: readonly string[], value: unknown): string {
  const indent = indentOf(text)
  const lineFeed = lineFeedOf(text)
  let object = readObject(text, skipBlank(text, 0))
  for (const [depth, key] of path.entries()) {
    const property = find(object, key)
    const rest = path.slice(depth + 1)
    if (property === undefined)
      return insert(text, object, key, nested(rest, value), { indent, depth: depth + 1, lineFeed })
    if (rest.length === 0) {
      return (
        text.slice(0, property.valueStart) + written(value, indent, depth + 1, lineFeed) + text.slice(property.valueEnd)
      )
    }
    object = readObject(text, property.valueStart)
  }
  return text
}

function nested(path: readonly string[], value: unknown): unknown {
  return path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value)
}

function insert(
  text: string,
  object: JsonObject,
  key: string,
  value: unknown,
  layout: { indent: string; depth: number; lineFeed: string },
): string {
  const { indent, depth, lineFeed } = layout
  const line = `${lineFeed}${indent.repeat(depth)}${JSON.stringify(key)}: ${written(value, indent, depth, lineFeed)}`
  const last = object.properties.at(-1)
  if (last !== undefined) return text.slice(0, last.valueEnd) + ',' + line + text.slice(last.valueEnd)
  return `${text.slice(0, object.start)}{${line}${lineFeed}${indent.repeat(depth - 1)}}${text.slice(object.end)}`
}

/** @returns the text without the property at `path`, with the comma and the line that went with it; the same text when it is not there. */
export function removeProperty(text: string, path: readonly string[]): string {
  let object = readObject(text, skipBlank(text, 0))
  for (const key of path.slice(0, -1)) {
    const property = find(object, key)
    if (property === undefined || text[property.valueStart] !== '{') return text
    object = readObject(text, property.valueStart)
  }
  const key = path.at(-1) ?? ''
  const index = object.properties.findLastIndex((property) => property.key === key)
  const property = object.properties[index]
  if (property === undefined) return text
  const before = object.properties[index - 1]
  const after = object.properties[index + 1]
  const without =
    before !== undefined
      ? text.slice(0, before.valueEnd) + text.slice(property.valueEnd)
      : after !== undefined
        ? text.slice(0, property.keyStart) + text.slice(after.keyStart)
        : `${text.slice(0, object.start)}{}${text.slice(object.end)}`
  // A duplicate of the key would come to light again.
  return removeProperty(without, path)
}
