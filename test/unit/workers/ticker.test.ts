import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createTicker, type TickPace } from '../../../src/workers/ticker.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function member(pace: TickPace) {
  const counts = { ticks: 0, closes: 0 }
  return {
    counts,
    tick: () => {
      counts.ticks++
      return pace
    },
    close: () => {
      counts.closes++
    },
  }
}

test('one timer for all, none when nothing runs', () => {
  const ticker = createTicker()
  expect(vi.getTimerCount()).toBe(0)
  const removals = [ticker.add(member('slow')), ticker.add(member('slow'))]
  expect(vi.getTimerCount()).toBe(1)
  for (const remove of removals) remove()
  expect(vi.getTimerCount()).toBe(0)
})

test('one that is in a hurry hurries the timer', () => {
  const ticker = createTicker()
  const slow = member('slow')
  const removeSlow = ticker.add(slow)
  vi.advanceTimersByTime(1_000)
  expect(slow.counts.ticks).toBeLessThan(9)
  removeSlow()
  const fast = member('fast')
  ticker.add(fast)
  vi.advanceTimersByTime(1_000)
  expect(fast.counts.ticks).toBeGreaterThan(30)
})

test('stopped, it closes all and ticks no more', () => {
  const ticker = createTicker()
  const one = member('slow')
  ticker.add(one)
  ticker.stop()
  vi.advanceTimersByTime(1_000)
  expect(one.counts).toEqual({ ticks: 0, closes: 1 })
})

test('one that throws is reported once in a row, and the others are looked at', () => {
  const reports: unknown[] = []
  const ticker = createTicker((error) => reports.push(error))
  const failing = {
    fails: true,
    tick() {
      if (this.fails) throw new Error('cannot look')
      return 'slow' as const
    },
    close: () => undefined,
  }
  const other = member('slow')
  ticker.add(failing)
  ticker.add(other)
  vi.advanceTimersByTime(1_000)
  expect([reports.length, other.counts.ticks > 4]).toEqual([1, true])
  failing.fails = false
  vi.advanceTimersByTime(300)
  failing.fails = true
  vi.advanceTimersByTime(300)
  expect(reports).toHaveLength(2)
})
