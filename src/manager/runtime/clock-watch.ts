import type { Clock } from '../../domain/clock.ts'

/** Smaller steps are the slewing of a synchronised clock. */
const smallestJumpMs = 1_000

/**
 * Notices that the wall clock was set back, by comparing it with the monotonic one at every beat. A jump forward looks like
 * a suspended machine and needs nothing: what was due meanwhile is due now.
 */
export class ClockWatch {
  readonly #clock: Clock
  #wall: number
  #monotonic: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#wall = clock.now()
    this.#monotonic = clock.monotonic()
  }

  /** @returns by how many ms the wall clock was set back since the last look; 0 when it was not */
  look(): number {
    const wall = this.#clock.now()
    const monotonic = this.#clock.monotonic()
    const setBack = monotonic - this.#monotonic - (wall - this.#wall)
    this.#wall = wall
    this.#monotonic = monotonic
    return setBack >= smallestJumpMs ? setBack : 0
  }
}
