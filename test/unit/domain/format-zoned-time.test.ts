import { expect, test } from 'vitest'
import { formatZonedTime } from '../../../src/domain/format-zoned-time.ts'

test('a moment on the clocks of a zone', () => {
  const at = Date.UTC(2030, 0, 1, 23, 5)
  expect(formatZonedTime(at, 'UTC')).toBe('Tue 2030-01-01 23:05')
  expect(formatZonedTime(at, 'Europe/Berlin')).toBe('Wed 2030-01-02 00:05')
  expect(formatZonedTime(at + 7_000, 'America/New_York')).toBe('Tue 2030-01-01 18:05:07')
})
