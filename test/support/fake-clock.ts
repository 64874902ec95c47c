import type { Clock } from '../../src/domain/clock.ts'

export interface FakeClock extends Clock {
  /** Both clocks go on together. */
  advance(ms: number): void
  /** The wall clock jumps (NTP, a user, DST); the monotonic one does not. */
  jump(ms: number): void
  /** The machine slept: wall time passed, awake time did not. */
  suspend(ms: number): void
}

/** A clock that stands still until it is told to move. */
export function createFakeClock(start = Date.UTC(2030, 0, 1), monotonicStart = 1_000_000): FakeClock {
  let wall = start
  let awake = monotonicStart
  return {
    now: () => wall,
    monotonic: () => awake,
    advance: (ms) => {
      wall += ms
      awake += ms
    },
    jump: (ms) => {
      wall += ms
    },
    suspend: (ms) => {
      wall += ms
    },
  }
}
