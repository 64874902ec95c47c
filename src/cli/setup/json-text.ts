/**
 * Changes one property in the text of a JSON file and leaves every other byte as it was: order, spacing, numbers that
 * JavaScript cannot hold, duplicate keys, comments, trailing commas. The text must be valid but for those (checked by the
 * caller).
 */

import { blankExtras } from './json-comments.ts'

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
  const plain = blankExtras(text).strict
  let object = readObject(plain, skipBlank(plain, 0))
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
    object = readObject(plain, property.valueStart)
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
  if (last !== undefined) return insertAfter(text, object, last.valueEnd, line)
  const inside = text.slice(object.start + 1, object.end - 1)
  const kept = inside.trim() === '' ? '' : inside.replace(/[ \t]*\r?\n[ \t]*$/, '')
  return `${text.slice(0, object.start)}{${kept}${line}${lineFeed}${indent.repeat(depth - 1)}}${text.slice(object.end)}`
}

/** Puts a line behind the last value, its comma and the comment beside it. */
function insertAfter(text: string, object: JsonObject, valueEnd: number, line: string): string {
  const inner = object.end - 1
  const { withoutComments } = blankExtras(text)
  if (withoutComments.slice(valueEnd, inner) === text.slice(valueEnd, inner))
    return `${text.slice(0, valueEnd)},${line}${text.slice(valueEnd)}`
  const comma = withoutComments.slice(valueEnd, inner).indexOf(',')
  const from = comma === -1 ? valueEnd : valueEnd + comma + 1
  const feed = withoutComments.slice(from, inner).search(/\r?\n/)
  const at = from + (feed === -1 ? text.slice(from, inner).trimEnd().length : feed)
  const own = comma === -1 ? '' : ','
  return `${text.slice(0, valueEnd)}${comma === -1 ? ',' : ''}${text.slice(valueEnd, at)}${line}${own}${text.slice(at)}`
}

/** @returns the text without the property at `path`, with the comma and the line that went with it; the same text when it is not there. */
export function removeProperty(text: string, path: readonly string[]): string {
  const { strict: plain, withoutComments } = blankExtras(text)
  let object = readObject(plain, skipBlank(plain, 0))
  for (const key of path.slice(0, -1)) {
    const property = find(object, key)
    if (property === undefined || plain[property.valueStart] !== '{') return text
    object = readObject(plain, property.valueStart)
  }
  const key = path.at(-1) ?? ''
  const index = object.properties.findLastIndex((property) => property.key === key)
  const property = object.properties[index]
  if (property === undefined) return text
  const before = object.properties[index - 1]
  const after = object.properties[index + 1]
  const without =
    plain !== text
      ? removeAlone(text, withoutComments, before, property)
      : before !== undefined
        ? text.slice(0, before.valueEnd) + text.slice(property.valueEnd)
        : after !== undefined
          ? text.slice(0, property.keyStart) + text.slice(after.keyStart)
          : `${text.slice(0, object.start)}{}${text.slice(object.end)}`
  // A duplicate of the key would come to light again.
  return removeProperty(without, path)
}

/** Removes a property and one comma, and no comment around them. */
function removeAlone(text: string, commentless: string, before: Property | undefined, property: Property): string {
  const next = skipBlank(commentless, property.valueEnd)
  const ownComma = commentless[next] === ','
  const end = ownComma ? next + 1 : property.valueEnd
  const behind = ownComma ? text.slice(property.valueEnd, next) : ''
  let start = property.keyStart
  // Its line goes too when nothing else stands on it.
  const blankBefore = /(\r?\n)?[ \t]*$/.exec(text.slice(0, start))?.[0] ?? ''
  const lineBefore = text.slice(text.lastIndexOf('\n', start - blankBefore.length - 1) + 1, start)
  // What would come to stand on the line before must not become part of a comment there.
  const joins = lineBefore.includes('//') ? /^[ \t]*(\r?\n|$)/ : /^[ \t]*(\r?\n|[}]|$)/
  if (behind.trim() === '' && joins.test(text.slice(end))) start -= blankBefore.length
  const rest = behind.trim() + text.slice(end)
  const lastComma = ownComma || before === undefined ? -1 : commentless.indexOf(',', before.valueEnd)
  return lastComma === -1
    ? text.slice(0, start) + rest
    : text.slice(0, lastComma) + text.slice(lastComma + 1, start) + rest
}
