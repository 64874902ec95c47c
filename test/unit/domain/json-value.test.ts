import fc from 'fast-check'
import { expect, test } from 'vitest'
import { jsonList, jsonObject } from '../../../src/domain/wire/json-value.ts'

const nested = (levels: number) => JSON.parse(`${'['.repeat(levels)}1${']'.repeat(levels)}`) as unknown

test('what JSON can say is taken as it is', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), (values) => {
      const given = JSON.parse(JSON.stringify(values)) as unknown[]
      expect(jsonList(1_000).parse(given)).toEqual(given)
    }),
  )
})

test.each([
  ['a number that became infinite', [1, { a: [JSON.parse('1e999')] }], '1.a.0', 'too large'],
  ['a function', [() => 1], '0', 'not JSON'],
  ['undefined inside', [{ a: undefined }], '0.a', 'not JSON'],
])('%s is refused, with its place', (_name, value, path, message) => {
  const issue = jsonList(10).safeParse(value).error?.issues[0]
  expect(issue?.path.join('.')).toBe(path)
  expect(issue?.message).toContain(message)
})

test('a hundred levels are taken and no more, without running out of stack', () => {
  expect(jsonObject.safeParse({ a: nested(100) }).success).toBe(true)
  expect(jsonObject.safeParse({ a: nested(101) }).error?.issues[0]?.message).toContain('nested more than 100 levels')
  expect(jsonObject.safeParse({ a: nested(5_000) }).success).toBe(false)
})
