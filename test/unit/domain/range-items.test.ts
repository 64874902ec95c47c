import { describe, expect, test } from 'vitest'
import { rangeItem, rangeTotal } from '../../../src/domain/range-items.ts'

const items = (from: number, to: number, step: number): number[] =>
  Array.from({ length: rangeTotal({ from, to, step }) }, (_, index) => rangeItem(from, step, index))

describe('a range', () => {
  test.each([
    [1, 5, 1, [1, 2, 3, 4, 5]],
    [5, 1, -2, [5, 3, 1]],
    [0, 0.3, 0.1, [0, 0.1, 0.2, 0.3]],
    [0, 1, 0.25, [0, 0.25, 0.5, 0.75, 1]],
    [1, 2, 0.4, [1, 1.4, 1.8]],
    [7, 7, 1, [7]],
    [-1, 1, 1, [-1, 0, 1]],
    [0, 3e-7, 1e-7, [0, 1e-7, 2e-7, 3e-7]],
  ])('from %d to %d by %d', (from, to, step, expected) => {
    expect(items(from, to, step)).toEqual(expected)
  })

  test('does not drift over a million steps', () => {
    expect(rangeTotal({ from: 0, to: 99_999.9, step: 0.1 })).toBe(1_000_000)
    expect(rangeItem(0, 0.1, 999_999)).toBe(99_999.9)
  })

  test.each([
    [1, 5, 0, 'step is 0'],
    [5, 1, 1, 'step leads away'],
    [0, 1_000_000, 1, 'more than 1000000'],
    [0, 1, 1e-300, 'more than 1000000'],
    [2 ** 53, 2 ** 53 + 8, 1, 'cannot be told apart'],
  ])('from %d to %d by %d is refused', (from, to, step, words) => {
    expect(() => rangeTotal({ from, to, step })).toThrow(words)
  })
})
