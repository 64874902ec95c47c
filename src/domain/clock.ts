/** Time is a parameter. `now` is for schedules and display; `monotonic` for every length of time (DESIGN §10.1). */
export interface Clock {
  /** Wall clock, integer ms UTC. */
  now(): number
  /** Milliseconds of a clock that never jumps and stands still in suspend; comparable between processes of one boot. */
  monotonic(): number
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => Number(process.hrtime.bigint() / 1_000_000n),
}
