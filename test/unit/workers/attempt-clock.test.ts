import { expect, test } from 'vitest'
import { AttemptClock, frozenMs } from '../../../src/workers/attempt-clock.ts'
import { createFakeClock } from '../../support/fake-clock.ts'

const boot = 'this-boot'
const start = (monotonic: number) => ({ monotonic, bootId: boot, writtenAt: 0 })

test('it stands still while frozen, and a machine that sleeps adds nothing', () => {
  const clock = createFakeClock()
  const attempt = new AttemptClock(clock, boot, 500, false)
  clock.advance(1_000)
  clock.suspend(9_000)
  attempt.setFrozen(true)
  clock.advance(60_000)
  expect(attempt.elapsed()).toBe(1_500)
  attempt.setFrozen(false)
  clock.advance(250)
  expect(attempt.elapsed()).toBe(1_750)
})

test('the next manager goes on: running counts while none was there, frozen does not', () => {
  const clock = createFakeClock()
  const startedAt = clock.monotonic()
  const first = new AttemptClock(clock, boot, 0, false)
  clock.advance(1_000)
  first.setFrozen(true)
  const frozen = first.record()
  clock.advance(5_000)
  first.setFrozen(false)
  const thawed = first.record()
  expect(frozenMs(start(startedAt), thawed)).toBe(5_000)
  clock.advance(3_000)

  const resume = (record: typeof frozen | null, isFrozen: boolean, known = 0) => {
    const next = new AttemptClock(clock, boot, known, isFrozen)
    next.resume(start(startedAt), record)
    return next.elapsed()
  }
  expect(resume(thawed, false)).toBe(4_000)
  expect(resume(frozen, true)).toBe(1_000)
  // Thawed in the database, by a manager that did not live to do it.
  expect(resume(frozen, false)).toBe(1_000)
  expect(resume(null, false)).toBe(9_000)
  // What a command writes there cannot give it more time than the database knows of.
  expect(resume({ ...thawed, elapsedMs: 0, at: clock.monotonic() + 1e9 }, false, 3_500)).toBe(3_500)
  expect(resume({ ...thawed, bootId: 'other' }, false)).toBe(9_000)
})
