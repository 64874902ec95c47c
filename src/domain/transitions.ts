import type { AttemptOutcome, JobState, UnitState } from './states.ts'

/** Who may make a transition. */
export type Actor = 'submit' | 'feeder' | 'dispatcher' | 'settle' | 'lease_holder' | 'recoverer' | 'cancel'

export interface JobTransition {
  readonly from: JobState | null
  readonly to: JobState
  readonly by: Actor
  readonly guard: string
}

/** Holds, pauses and dependencies are columns: they keep units from being claimed and change no state. */
const ended = 'sealed, no unit can move, final step over'

/** Every change of a stored job state that exists; anything else is refused by statement and trigger. */
export const jobTransitions: readonly JobTransition[] = [
  { from: null, to: 'queued', by: 'submit', guard: 'idempotency key free' },
  { from: 'queued', to: 'running', by: 'dispatcher', guard: 'in the transaction of the first claim' },
  { from: 'queued', to: 'completed', by: 'settle', guard: 'closed without a unit' },
  { from: 'queued', to: 'failed', by: 'settle', guard: `${ended}, a deadline or a failed unit prevented something` },
  { from: 'queued', to: 'cancelled', by: 'settle', guard: `${ended}, a cancel prevented something` },
  { from: 'running', to: 'completed', by: 'settle', guard: `${ended}, no more failed than the budget allows` },
  {
    from: 'running',
    to: 'failed',
    by: 'settle',
    guard: `${ended}, more failed than the budget allows, or the final step`,
  },
  { from: 'running', to: 'cancelled', by: 'settle', guard: `${ended}, a cancel prevented something` },
]

export interface UnitTransition {
  readonly from: UnitState | null
  readonly to: UnitState
  readonly by: Actor
  readonly guard: string
  /** How the attempt that ends here is recorded; null when no attempt ends. */
  readonly outcomes: readonly AttemptOutcome[] | null
  /** True when the end counts against `max_attempts`. */
  readonly counts: boolean
}

export const unitTransitions: readonly UnitTransition[] = [
  { from: null, to: 'available', by: 'submit', guard: 'with its job', outcomes: null, counts: false },
  { from: null, to: 'available', by: 'feeder', guard: 'job not sealed, key not known', outcomes: null, counts: false },
  {
    from: null,
    to: 'available',
    by: 'settle',
    guard: 'the final step: job sealed, all other units ended, no cancel',
    outcomes: null,
    counts: false,
  },
  {
    from: 'available',
    to: 'running',
    by: 'dispatcher',
    guard: 'due, job not paused, held, blocked or cancelled, queue not paused, slot free, under limits',
    outcomes: null,
    counts: false,
  },
  { from: 'available', to: 'cancelled', by: 'cancel', guard: 'still available', outcomes: null, counts: false },
  { from: 'running', to: 'completed', by: 'lease_holder', guard: 'fence', outcomes: ['completed'], counts: false },
  {
    from: 'running',
    to: 'available',
    by: 'lease_holder',
    guard: 'fence, retryable, failures left, no cancel',
    outcomes: ['failed', 'timed_out'],
    counts: true,
  },
  {
    from: 'running',
    to: 'failed',
    by: 'lease_holder',
    guard: 'fence, not retryable or failures used up, no cancel',
    outcomes: ['failed', 'timed_out'],
    counts: true,
  },
  {
    from: 'running',
    to: 'available',
    by: 'lease_holder',
    guard: 'fence, no cancel',
    outcomes: ['released'],
    counts: false,
  },
  {
    from: 'running',
    to: 'available',
    by: 'lease_holder',
    guard: 'fence, told to slow down, no cancel; due at the reset',
    outcomes: ['rate_limited'],
    counts: false,
  },
  {
    from: 'running',
    to: 'available',
    by: 'recoverer',
    guard: 'fence, processes proven gone, fewer than 3 losses, no cancel',
    outcomes: ['lost'],
    counts: false,
  },
  {
    from: 'running',
    to: 'failed',
    by: 'recoverer',
    guard: 'fence, processes proven gone, third loss or rerun refused, no cancel',
    outcomes: ['lost'],
    counts: false,
  },
  {
    from: 'running',
    to: 'cancelled',
    by: 'lease_holder',
    guard: 'fence, cancel asked for',
    outcomes: ['cancelled', 'failed', 'timed_out', 'released', 'rate_limited'],
    counts: false,
  },
  {
    from: 'running',
    to: 'cancelled',
    by: 'recoverer',
    guard: 'fence, processes proven gone, cancel asked for',
    outcomes: ['lost'],
    counts: false,
  },
]

/** True when a job may go from one stored state to another. */
export function isJobTransition(from: JobState | null, to: JobState): boolean {
  return jobTransitions.some((row) => row.from === from && row.to === to)
}

/** True when a unit may go from one stored state to another, optionally with this attempt outcome. */
export function isUnitTransition(from: UnitState | null, to: UnitState, outcome?: AttemptOutcome): boolean {
  return unitTransitions.some(
    (row) =>
      row.from === from &&
      row.to === to &&
      (outcome === undefined || row.outcomes === null || row.outcomes.includes(outcome)),
  )
}
