import type { Clock } from '../domain/clock.ts'
import type { ClockRecord, StartRecord } from './attempt-files.ts'

/** Awake monotonic time of one attempt; it stands still while the attempt is frozen. */
export class AttemptClock {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #bootId: string
  /** Elapsed ms at `#at`; since then it runs or is frozen. */
  #elapsed: number
  #at: number
  #frozen: boolean

  /** @param elapsedMs that the attempt is known to have used before */
  constructor(clock: Pick<Clock, 'monotonic'>, bootId: string, elapsedMs: number, frozen: boolean) {
    this.#clock = clock
    this.#bootId = bootId
    this.#elapsed = elapsedMs
    this.#at = clock.monotonic()
    this.#frozen = frozen
  }

  /** With fractions, never going back. */
  elapsed(): number {
    return this.#frozen ? this.#elapsed : Math.max(0, this.#elapsed + this.#clock.monotonic() - this.#at)
  }

  get isFrozen(): boolean {
    return this.#frozen
  }

  setFrozen(frozen: boolean): void {
    this.#elapsed = this.elapsed()
    this.#at = this.#clock.monotonic()
    this.#frozen = frozen
  }

  /**
   * Goes on with what an earlier manager of this boot left. The command can write there too: never less than what the
   * database knows. A record that says frozen counts as frozen until now, thawed or not.
   */
  resume(started: StartRecord | null, record: ClockRecord | null): void {
    const now = this.#clock.monotonic()
    this.#elapsed = this.elapsed()
    this.#at = now
    const known = record?.bootId === this.#bootId ? record : null
    let told = 0
    if (known !== null) told = known.elapsedMs + (known.frozen ? 0 : now - known.at)
    else if (started?.bootId === this.#bootId) told = now - started.monotonic
    this.#elapsed = Math.max(this.#elapsed, told)
  }

  /** What the next manager needs to go on. */
  record(): ClockRecord {
    return { bootId: this.#bootId, elapsedMs: this.elapsed(), at: this.#clock.monotonic(), frozen: this.#frozen }
  }
}

/** @returns ms for which an attempt had been frozen when its clock was last recorded. */
export function frozenMs(started: StartRecord | null, record: ClockRecord | null): number {
  if (started === null || record?.bootId !== started.bootId) return 0
  return Math.max(0, record.at - started.monotonic - record.elapsedMs)
}
