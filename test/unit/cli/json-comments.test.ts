import { describe, expect, it } from 'vitest'
import { strictJson } from '../../../src/cli/setup/json-comments.ts'
import { removeProperty, setProperty } from '../../../src/cli/setup/json-text.ts'

const path = ['servers', 'nightkiln']
const value = { command: 'node' }
const parsed = (text: string) => JSON.parse(strictJson(text)) as { servers?: Record<string, unknown> }

describe('JSON with comments and trailing commas', () => {
  it.each([
    ['{"a": 1, // one\n "b": [2,],}', { a: 1, b: [2] }],
    ['/* x */{"a": "// no comment /* */ ,}", /* y\n */ "b": "\\"//" , }', { a: '// no comment /* */ ,}', b: '"//' }],
    ['{"a": "x",\n// last\n}', { a: 'x' }],
  ])('is read, every offset staying what it was: %s', (text, expected) => {
    expect(strictJson(text)).toHaveLength(text.length)
    expect(JSON.parse(strictJson(text))).toEqual(expected)
  })

  it.each(['{,}', '[,]', '{"a":1,,}', '{"a":,}', '{"a": 1 /* open }', '{"a" 1,}'])('does not make %s valid', (text) => {
    expect(() => JSON.parse(strictJson(text)) as unknown).toThrow()
  })

  it.each([
    ['a comment beside the last value', '{\n  "servers": {\n    "a": {} // mine\n  }\n}\n'],
    ['a comment behind a trailing comma', '{\n  "servers": {\n    "a": {}, // mine\n  },\n}\n'],
    ['a comment over several lines', '{\n  "servers": {\n    "a": {} /* one\n two */\n  }\n}\n'],
    ['a comment below the last value', '{\r\n  "servers": {\r\n    "a": {}\r\n    // below\r\n  }\r\n}\r\n'],
    ['only a comment', '{\n  "servers": {\n    // nothing yet\n  }\n}\n'],
    ['a comment and no servers', '{\n  // nothing yet\n}\n'],
    ['one line', '{ "servers": { "a": {}, /* last */ }, }'],
    ['a comment above another value', '// head\n{\n  "servers": {\n    // first\n    "a": {},\n    "b": {},\n  }\n}'],
  ])('keeps %s when a server is put in and taken out', (_, before) => {
    const set = setProperty(before, path, value)
    expect(parsed(set)).toEqual({ ...parsed(before), servers: { ...parsed(before).servers, nightkiln: value } })
    for (const comment of before.match(/\/\/.*|\/\*[\s\S]*?\*\//g) ?? []) expect(set).toContain(comment)
    expect(set.indexOf('nightkiln')).toBeGreaterThan(set.indexOf('mine'))
    const removed = removeProperty(set, path)
    expect(parsed(removed)).toEqual({ servers: {}, ...parsed(before) })
    if (parsed(before).servers !== undefined) expect(removed).toBe(before)
  })

  it('takes out a server between others with its comma and not with their comments', () => {
    const text = '{"servers": {\n  "a": 1, // of a\n  "nightkiln": 2, // of ours\n  "b": 3 // of b\n}}'
    expect(removeProperty(text, path)).toContain('"a": 1, // of a')
    expect(removeProperty(text, path)).toContain('"b": 3 // of b')
    expect(parsed(removeProperty(text, path))).toEqual({ servers: { a: 1, b: 3 } })
  })
})
