import { describe, expect, test } from 'vitest'
import type { Job } from '../../../src/domain/job.ts'
import { estimateFromEarlier } from '../../../src/manager/runtime/estimator.ts'
import { Throughput } from '../../../src/manager/runtime/throughput.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { startedJob, unitCounts } from '../../support/job-builder.ts'

function batch(completed: number, total: number): Job {
  return startedJob({ counts: unitCounts({ available: total - completed, completed }) })
}

describe('Throughput', () => {
  test('says why there is no estimate until three units have ended', () => {
    const throughput = new Throughput(createFakeClock())
    throughput.ended(batch(1, 100))
    expect(throughput.estimate(batch(1, 100), 0)).toMatchObject({ seconds: null, reason: '1 of 3 ended units needed' })
  })

  test('goes by the pace of the ends, waiting units included', () => {
    const clock = createFakeClock()
    const throughput = new Throughput(clock)
    for (let ended = 1; ended <= 10; ended += 1) {
      clock.advance(2_000)
      throughput.ended(batch(ended, 50))
    }
    expect(throughput.estimate(batch(10, 50), 0)).toMatchObject({ seconds: 80, low_seconds: 80, high_seconds: 80 })
    expect(throughput.estimate(batch(10, 50), 10).seconds).toBe(100)
  })

  test('paused time is left out', () => {
    const clock = createFakeClock()
    const throughput = new Throughput(clock)
    for (let ended = 1; ended <= 6; ended += 1) {
      clock.advance(1_000)
      throughput.ended(batch(ended, 16))
      throughput.paused(batch(ended, 16).id)
      clock.advance(600_000)
      throughput.resumed(batch(ended, 16).id)
    }
    expect(throughput.estimate(batch(6, 16), 0).seconds).toBe(10)
  })

  test('the range is never wider than three times, and holds the truth in four of five cases', () => {
    let held = 0
    const runs = 200
    let seed = 7
    const random = () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
      return seed / 2_147_483_648
    }
    for (let run = 0; run < runs; run += 1) {
      const clock = createFakeClock()
      const throughput = new Throughput(clock)
      // Exponential gaps: as irregular as work gets without a trend.
      const gap = () => Math.round(-1_000 * Math.log(1 - random()))
      for (let ended = 1; ended <= 50; ended += 1) {
        clock.advance(gap())
        throughput.ended(batch(ended, 150))
      }
      const { low_seconds: low, high_seconds: high } = throughput.estimate(batch(50, 150), 0)
      let truth = 0
      for (let left = 0; left < 100; left += 1) truth += gap() / 1_000
      if (low !== null && high !== null && low <= truth && truth <= high) held += 1
      expect((high ?? 0) / (low ?? 1)).toBeLessThanOrEqual(3.01)
    }
    expect(held / runs).toBeGreaterThan(0.75)
  })
})

describe('estimateFromEarlier', () => {
  test('needs three earlier runs, goes by their middle, and says when this one is out of proportion', () => {
    expect(estimateFromEarlier([1_000, 2_000], 0)).toBeNull()
    expect(estimateFromEarlier([60_000, 50_000, 70_000], 20_000)).toMatchObject({ seconds: 40, reason: null })
    expect(estimateFromEarlier([60_000, 50_000, 70_000], 600_000)).toMatchObject({ seconds: null })
  })
})
