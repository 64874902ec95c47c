import { expect, test } from 'vitest'
import { ClockWatch } from '../../../src/manager/runtime/clock-watch.ts'
import { createFakeClock } from '../../support/fake-clock.ts'

test('tells how far the wall clock was set back, once; small steps, jumps forward and sleep are nothing', () => {
  const clock = createFakeClock()
  const watch = new ClockWatch(clock)
  clock.advance(5_000)
  clock.jump(-400)
  expect(watch.look()).toBe(0)
  clock.advance(5_000)
  clock.jump(-3_600_000)
  expect(watch.look()).toBe(3_600_000)
  expect(watch.look()).toBe(0)
  clock.jump(3_600_000)
  clock.suspend(7_200_000)
  expect(watch.look()).toBe(0)
})
