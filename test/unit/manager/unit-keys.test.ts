import { expect, test } from 'vitest'
import { UnitKeys } from '../../../src/manager/runtime/unit-keys.ts'

const createId = () => 'id'

test('a limit key that the submit asked for must be there; one that is only its type’s default need not', () => {
  const asked = new UnitKeys({ unitKey: null, limitKey: '{{unit.host}}' }, createId)
  const byDefault = new UnitKeys({ unitKey: null, limitKey: '{{unit.host}}', limitKeyIsDefault: true }, createId)
  for (const keys of [asked, byDefault]) {
    expect(keys.unitOf('https://example.org/a').limitKey).toBe('example.org')
  }
  expect(() => asked.unitOf(7)).toThrow('host')
  expect(byDefault.unitOf(7)).toEqual({ id: 'id', input: 7, key: null, limitKey: null })
})

test('a unit key that a unit lacks is refused, whatever the limit key is', () => {
  const keys = new UnitKeys({ unitKey: '{{unit.url}}', limitKey: '{{unit.host}}', limitKeyIsDefault: true }, createId)
  expect(() => keys.unitOf({ host: 'example.org' })).toThrow('url')
})
