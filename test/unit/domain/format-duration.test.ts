import { expect, test } from 'vitest'
import { formatDuration } from '../../../src/domain/format-duration.ts'

test.each([
  [-5, '0 ms'],
  [0, '0 ms'],
  [0.4, '0 ms'],
  [999, '999 ms'],
  [999.7, '1 s'],
  [1_000, '1 s'],
  [2_449, '2.4 s'],
  [9_949, '9.9 s'],
  [9_980, '10 s'],
  [10_400, '10 s'],
  [40_000, '40 s'],
  [59_499, '59 s'],
  [59_700, '1 m'],
  [192_000, '3 m 12 s'],
  [3_599_800, '1 h'],
  [7_500_000, '2 h 5 m'],
  [86_399_900, '1 d'],
  [86_400_000, '1 d'],
  [273_600_000, '3 d 4 h'],
])('%d ms is %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text)
})
