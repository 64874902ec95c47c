import { systemClock } from '../../../src/domain/clock.ts'

/** The real clock, moved on by hand. */
export function movedClock() {
  let ahead = 0
  let wall = 0
  return {
    now: () => systemClock.now() + wall,
    monotonic: () => systemClock.monotonic() + ahead,
    moveMonotonic: (ms: number) => {
      ahead += ms
    },
    jumpWall: (ms: number) => {
      wall += ms
    },
  }
}
