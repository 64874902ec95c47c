import { describe, expect, test } from 'vitest'
import { onTimeMs, planDueTimes } from '../../../src/domain/missed-runs.ts'
import { missedPolicies } from '../../../src/domain/states.ts'

const now = 10_000_000
const hour = 3_600_000

describe('planDueTimes', () => {
  test.each(missedPolicies)('what is at most a minute late runs under "%s"', (policy) => {
    const times = [now - onTimeMs]
    expect(planDueTimes(times, now, policy)).toEqual({ missed: [], run: times })
  })

  test('once: one run for the latest, the others are missed, on time or not', () => {
    const times = [now - 2 * hour, now - hour, now - 1_000]
    expect(planDueTimes(times, now, 'once')).toEqual({ missed: times.slice(0, 2), run: times.slice(2) })
    expect(planDueTimes([now - onTimeMs - 1], now, 'once')).toEqual({ missed: [], run: [now - onTimeMs - 1] })
  })

  test('all: the newest hundred run', () => {
    const times = Array.from({ length: 130 }, (_, index) => now - (130 - index) * hour)
    expect(planDueTimes(times, now, 'all')).toEqual({ missed: times.slice(0, 30), run: times.slice(30) })
    expect(planDueTimes(times.slice(-3), now, 'all')).toEqual({ missed: [], run: times.slice(-3) })
  })

  test('skip: only what is on time runs', () => {
    const times = [now - 2 * hour, now - hour, now - onTimeMs]
    expect(planDueTimes(times, now, 'skip')).toEqual({ missed: times.slice(0, 2), run: times.slice(2) })
    expect(planDueTimes([now - hour], now, 'skip')).toEqual({ missed: [now - hour], run: [] })
  })

  test('of a short interval two that wait together are never both on time', () => {
    const times = [now - 7_000, now - 5_000, now - 3_000, now - 1_000]
    expect(planDueTimes(times, now, 'once')).toEqual({ missed: times.slice(0, 3), run: times.slice(3) })
    expect(planDueTimes(times, now, 'skip')).toEqual({ missed: times.slice(0, 3), run: times.slice(3) })
  })

  test('nothing is nothing', () => {
    expect(planDueTimes([], now, 'once')).toEqual({ missed: [], run: [] })
  })
})
