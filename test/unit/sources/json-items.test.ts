import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { jsonItems } from '../../../src/sources/json-items.ts'
import { folderWith } from './support.ts'

const read = (text: string, path = '') => [...jsonItems(join(folderWith({ 'x.json': text }), 'x.json'), path)]

describe('a JSON file', () => {
  test('gives the elements of its array', () => {
    expect(read('\ufeff[1,"a",null,{"b":[2]}]')).toEqual([1, 'a', null, { b: [2] }])
    expect(read('{"data":[{"items":[1,2]}]}', 'data.0.items')).toEqual([1, 2])
    expect(read('[]')).toEqual([])
  })

  test.each([
    ['{"a":1}', '', 'the top of', 'is an object with a, not an array'],
    ['{"data":{"items":3}}', 'data.items', '"data.items" of', 'is a number, not an array'],
    ['{"data":null}', 'data', '"data" of', 'is null'],
    ['{"data":{"x":1,"y":2}}', 'data.items', '"data" of', 'an object with x, y and has no "items"'],
    ['[1]', 'length', 'the top of', 'has no "length"'],
    ['{"a":[1]}', '__proto__', 'the top of', 'has no "__proto__"'],
    ['{"a":[1]}', 'constructor', 'the top of', 'has no "constructor"'],
    ['{"a":1}\n{"a":2}\n', '', 'is not JSON', '{"kind":"lines"}'],
    ['', '', 'is not JSON', ''],
  ])('%s with path "%s" is refused', (text, path, ...words) => {
    try {
      read(text, path)
      expect.unreachable()
    } catch (error) {
      const { message, remedy } = error as { message: string; remedy: string }
      for (const word of words) expect(`${message} ${remedy}`).toContain(word)
    }
  })

  test('that is missing is named', () => {
    expect(() => [...jsonItems('/nowhere/x.json', '')]).toThrow('/nowhere/x.json does not exist')
  })
})
