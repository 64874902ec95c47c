/** How often and how long the fleet does things, ms. */
export interface FleetPace {
  /** Between two looks at what is due, while something is wanted. */
  readonly tickMs: number
  /** Between looks at a worker that cannot take what waits: first, and at most. */
  readonly soonMs: number
  readonly lateMs: number
  /** An older look promises no place any more. */
  readonly freshMs: number
  /** A worker that has not answered by then counts as away, though it is still asked. */
  readonly checkingMs: number
  /** More tries of a look whose request never left, after full jitter below `retryMs`, doubling. */
  readonly retries: number
  readonly retryMs: number
  /** Failures in a row that open the breaker; how long it stays open: first, and at most. */
  readonly breakerFailures: number
  readonly breakerFirstMs: number
  readonly breakerLongestMs: number
}

export const defaultPace: FleetPace = {
  tickMs: 500,
  soonMs: 2_000,
  lateMs: 30_000,
  freshMs: 15_000,
  checkingMs: 5_000,
  retries: 2,
  retryMs: 500,
  breakerFailures: 3,
  breakerFirstMs: 30_000,
  breakerLongestMs: 600_000,
}
