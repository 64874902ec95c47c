import { expect, test } from 'vitest'
import { cutText } from '../../../src/domain/cut-text.ts'

test.each([
  ['short', 5, 'short'],
  ['longer', 5, 'long…'],
  ['ab😀cd', 4, 'ab…'],
  ['ab😀cd', 5, 'ab😀…'],
])('%s in %d', (text, length, expected) => {
  expect(cutText(text, length)).toBe(expected)
  expect(cutText(text, length).length).toBeLessThanOrEqual(length)
})

test('with another ending', () => {
  expect(cutText('ab😀cd', 3, '')).toBe('ab')
})
