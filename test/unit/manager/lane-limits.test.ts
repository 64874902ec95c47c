import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { KeyLimits, RateLimit } from '../../../src/domain/job.ts'
import type { Queue } from '../../../src/domain/ports/lane-store.ts'
import { LaneLimits } from '../../../src/manager/runtime/lane-limits.ts'
import { RateWindow } from '../../../src/manager/runtime/rate-window.ts'
import type { ReadyLane } from '../../../src/manager/runtime/ready-index.ts'
import { createFakeClock } from '../../support/fake-clock.ts'

const queue = (limits: Partial<Queue> = {}): Queue => ({
  name: 'default',
  concurrency: null,
  rate: null,
  pausedAt: null,
  ...limits,
})

const ready = (limitKey: string | null = null, keyLimits: KeyLimits | null = null): ReadyLane => ({
  jobId: 'job',
  seq: 1,
  priority: 2,
  dueAt: 0,
  queue: 'default',
  type: 'command',
  submittedBy: 'ada',
  forGpu: false,
  limitKey,
  keyLimits,
})

function openLimits(limits: Partial<Queue> = {}) {
  const clock = createFakeClock()
  const lanes = new LaneLimits(clock)
  lanes.setQueues([queue(limits)])
  return { clock, lanes }
}

describe('LaneLimits', () => {
  test('without limits everything wanted may start', () => {
    expect(openLimits().lanes.admit(ready(), 7)).toEqual({ count: 7, counted: [] })
  })

  test('a queue starts as many as its concurrency leaves, and then none', () => {
    const { lanes } = openLimits({ concurrency: 3 })
    expect(lanes.admit(ready(), 7)).toMatchObject({ count: 3 })
    lanes.count('default', null, 2)
    expect(lanes.admit(ready(), 7)).toMatchObject({ count: 1 })
    lanes.count('default', null, 1)
    expect(lanes.admit(ready(), 7)).toEqual({ kind: 'full', lane: { queue: 'default', key: '' } })
    expect(lanes.blockOfQueue('default')).toMatchObject({ kind: 'full' })
    lanes.count('default', null, -1)
    expect(lanes.admit(ready(), 7)).toMatchObject({ count: 1 })
  })

  test('a key starts exactly as many as its limit, other keys are free', () => {
    const { lanes } = openLimits()
    const limits: KeyLimits = { concurrency: 2, rate: null }
    expect(lanes.admit(ready('a.org', limits), 9)).toMatchObject({ count: 2 })
    lanes.count('default', 'a.org', 2)
    expect(lanes.admit(ready('a.org', limits), 9)).toEqual({ kind: 'full', lane: { queue: 'default', key: 'a.org' } })
    expect(lanes.admit(ready('b.org', limits), 9)).toMatchObject({ count: 2 })
  })

  test('a rate limit lets its number start in any window, and tells when the next may', () => {
    const { clock, lanes } = openLimits({ rate: { count: 2, windowMs: 1_000 } })
    const lane = { queue: 'default', key: '' }
    expect(lanes.admit(ready(), 9)).toEqual({ count: 2, counted: [lane] })
    lanes.noteStarts([lane], 2)
    expect(lanes.admit(ready(), 9)).toEqual({ kind: 'until', lane, at: clock.now() + 1_000, isHeld: false })
    clock.advance(999)
    expect(lanes.admit(ready(), 9)).toMatchObject({ kind: 'until' })
    clock.advance(1)
    expect(lanes.admit(ready(), 9)).toMatchObject({ count: 2 })
  })

  test('a hold ends at its time', () => {
    const { clock, lanes } = openLimits()
    lanes.hold({ queue: 'default', key: 'a.org' }, clock.now() + 500)
    expect(lanes.admit(ready('a.org'), 1)).toMatchObject({ kind: 'until', at: clock.now() + 500 })
    expect(lanes.admit(ready('b.org'), 1)).toMatchObject({ count: 1 })
    // A wall clock that is set back makes it no longer.
    clock.jump(-3_600_000)
    expect(lanes.admit(ready('a.org'), 1)).toMatchObject({ at: clock.now() + 500, isHeld: true })
    clock.advance(500)
    expect(lanes.admit(ready('a.org'), 1)).toMatchObject({ count: 1 })
  })

  test('a restart neither starts a burst nor forgets a hold', () => {
    const { clock, lanes } = openLimits({ rate: { count: 2, windowMs: 10_000 } })
    const lane = { queue: 'default', key: '' }
    lanes.restore(
      [{ ...lane, key: 'slow.org', until: clock.now() + 4_000, reason: 'told to slow down' }],
      [
        { ...lane, startedAt: clock.now() - 9_000 },
        { ...lane, startedAt: clock.now() - 2_000 },
      ],
    )
    expect(lanes.admit(ready(), 9)).toEqual({ kind: 'until', lane, at: clock.now() + 1_000, isHeld: false })
    expect(lanes.heldUntil({ ...lane, key: 'slow.org' })).toBe(clock.now() + 4_000)
  })
})

describe('RateWindow', () => {
  test('no window of its length ever holds more than its number', () => {
    const step = fc.record({ wait: fc.nat(120), wanted: fc.integer({ min: 1, max: 5 }) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 4 }), (steps, count) => {
        const limit: RateLimit = { count, windowMs: 100 }
        const window = new RateWindow(limit)
        const starts: number[] = []
        let now = 0
        for (const { wait, wanted } of steps) {
          now += wait
          const started = Math.min(wanted, window.allowance(now))
          expect(started === 0).toBe(window.waitMs(now) > 0)
          window.add(started, now)
          for (let each = 0; each < started; each += 1) starts.push(now)
        }
        for (const at of starts) {
          expect(starts.filter((other) => other > at - limit.windowMs && other <= at).length).toBeLessThanOrEqual(count)
        }
      }),
    )
  })
})
