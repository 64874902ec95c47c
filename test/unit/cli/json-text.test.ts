import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { removeProperty, setProperty } from '../../../src/cli/setup/json-text.ts'

const path = ['mcpServers', 'nightkiln']
const value = { command: '/usr/bin/node', args: ['mcp'], env: { PATH: '/bin' } }

describe('one property of a JSON text', () => {
  it('keeps every other byte: spacing, order, large numbers, escapes', () => {
    const before =
      '{\n    "big": 12345678901234567890123,\n  "1": 1e400 ,"a" :"\\u0041\\"}",\n\n    "mcpServers": { "other" : {"x":[ ]} }\n}\n'
    const after = setProperty(before, path, 1)
    expect(after).toBe(before.replace('{"x":[ ]} }', '{"x":[ ]},\n        "nightkiln": 1 }'))
    expect(removeProperty(after, path)).toBe(before)
  })

  it('follows the indentation and line ends of the file', () => {
    expect(setProperty('{\r\n\t"a": 1\r\n}', ['b'], { c: 2 })).toBe(
      '{\r\n\t"a": 1,\r\n\t"b": {\r\n\t\t"c": 2\r\n\t}\r\n}',
    )
    expect(setProperty('{}', ['b'], 2)).toBe('{\n  "b": 2\n}')
  })

  it('changes the duplicate that counts and removes them all', () => {
    const twice = '{"a":1,"a":2}'
    expect(JSON.parse(setProperty(twice, ['a'], 3))).toEqual({ a: 3 })
    expect(JSON.parse(removeProperty(twice, ['a']))).toEqual({})
  })

  it('removes first, middle, last and only properties', () => {
    for (const key of ['a', 'b', 'c']) {
      const { [key]: _, ...rest } = { a: 1, b: [2, '}'], c: {} } as Record<string, unknown>
      expect(JSON.parse(removeProperty('{ "a": 1, "b": [2, "}"], "c": {} }', [key]))).toEqual(rest)
    }
    expect(removeProperty('{"only": 1}', ['only'])).toBe('{}')
    expect(removeProperty('{"a": {}}', ['a', 'x'])).toBe('{"a": {}}')
    expect(removeProperty('{"a": 1}', ['a', 'x'])).toBe('{"a": 1}')
  })

  it('says for any JSON the same as changing the value itself', () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue(), { size: 'medium' })
    const layout = fc.constantFrom(undefined, 2, 4, '\t')
    fc.assert(
      fc.property(object, fc.option(object), layout, (root, servers, space) => {
        const whole: Record<string, unknown> = { ...root, ...(servers === null ? {} : { mcpServers: servers }) }
        if (servers === null) delete whole['mcpServers']
        const text = JSON.stringify(whole, null, space)
        const normal = JSON.parse(text) as Record<string, Record<string, unknown>>
        const set = JSON.parse(setProperty(text, path, value))
        expect(set).toEqual({ ...normal, mcpServers: { ...normal['mcpServers'], nightkiln: value } })
        const { nightkiln: _, ...others } = normal['mcpServers'] ?? {}
        const removed = JSON.parse(removeProperty(setProperty(text, path, value), path))
        expect(removed).toEqual({ ...normal, mcpServers: others })
      }),
      { numRuns: 300 },
    )
  })
})
