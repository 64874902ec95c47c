import { expect, test } from 'vitest'
import { compareVersions } from '../../../src/client/versions.ts'

test('orders releases and pre-releases', () => {
  const ordered = ['0.9.9', '0.10.0', '1.0.0-alpha.2', '1.0.0-alpha.10', '1.0.0', '1.0.1', '1.1.0', '2.0.0']
  const shuffled = [...ordered].reverse().sort(compareVersions)
  expect(shuffled).toEqual(ordered)
  expect(compareVersions('1.2.3', '1.2.3')).toBe(0)
})
