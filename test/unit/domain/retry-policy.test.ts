import { describe, expect, test } from 'vitest'
import { defaultBackoff, poisonLimit, retryDelay } from '../../../src/domain/retry-policy.ts'

const almostOne = 1 - Number.EPSILON

describe('retryDelay', () => {
  test.each([
    [1, 1_000],
    [2, 2_000],
    [3, 4_000],
    [8, 128_000],
    [9, 256_000],
    [10, 300_000],
    [60, 300_000],
    [5_000, 300_000],
  ])('after failure %i waits up to %i ms by default', (failures, ceiling) => {
    expect(retryDelay(defaultBackoff, failures, almostOne)).toBeGreaterThanOrEqual(ceiling - 1)
    expect(retryDelay(defaultBackoff, failures, almostOne)).toBeLessThanOrEqual(ceiling)
    expect(retryDelay(defaultBackoff, failures, 0.5)).toBe(ceiling / 2)
  })

  test('is at least 1 ms, a whole number, and uses the whole range', () => {
    expect(retryDelay(defaultBackoff, 1, 0)).toBe(1)
    expect(retryDelay({ initialMs: 3, maxMs: 10, factor: 1 }, 7, 0.5)).toBe(1)
    for (let share = 0; share < 1; share += 0.01) {
      const delay = retryDelay({ initialMs: 1_000, maxMs: 5_000, factor: 3 }, 2, share)
      expect(Number.isInteger(delay)).toBe(true)
      expect(delay).toBe(Math.max(1, Math.floor(share * 3_000)))
    }
  })

  test('never passes the cap, also when the cap is below the first delay', () => {
    expect(retryDelay({ initialMs: 10_000, maxMs: 2_000, factor: 2 }, 1, almostOne)).toBeLessThanOrEqual(2_000)
  })
})

test('a unit is given up at its third loss', () => {
  expect(poisonLimit).toBe(3)
})
