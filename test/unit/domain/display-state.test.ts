import { describe, expect, test } from 'vitest'
import { type DisplayFacts, displayState } from '../../../src/domain/display-state.ts'
import { type ErrorCode, type ErrorRecord, errorKinds } from '../../../src/domain/errors.ts'
import type { Job } from '../../../src/domain/job.ts'
import { cancelReasons, finalJobStates } from '../../../src/domain/states.ts'
import { displayStates } from '../../../src/domain/wire/shared.ts'
import { finalJob, noon, queuedJob, startedJob, unitCounts } from '../../support/job-builder.ts'

function failure(code: ErrorCode, message: string): ErrorRecord {
  return { code, message, remedy: errorKinds[code].remedy }
}

const exit2 = failure('command_failed', 'the command ended with exit code 2')
const timedOut = failure('attempt_timed_out', 'ran longer than 30 s')
const vanished = failure('worker_crashed', 'the processes vanished')

const many = { available: 2, running: 1, completed: 4, failed: 1 }

type Case = readonly [state: string, why: string, job: Job, facts: Omit<DisplayFacts, 'now'>]

const cases: readonly Case[] = [
  // Final states.
  ['completed', 'completed in 3 m 12 s', finalJob('completed'), {}],
  [
    'completed',
    'completed in 3 m 12 s at attempt 2',
    finalJob('completed'),
    { units: { lastAttempt: { number: 2, exitCode: 0 } } },
  ],
  ['completed', 'completed in 3 m 12 s', finalJob('completed'), { units: { lastAttempt: { number: 1, exitCode: 0 } } }],
  [
    'completed',
    'completed in 3 m 12 s: 100 units',
    finalJob('completed', { counts: unitCounts({ completed: 100 }) }),
    {},
  ],
  [
    'completed_with_failures',
    'completed in 3 m 12 s; 2 of 100 units failed, as its failure budget allows',
    finalJob('completed', { counts: unitCounts({ completed: 98, failed: 2 }) }),
    {},
  ],
  [
    'failed',
    'failed after 1 attempt: exit code 2',
    finalJob('failed', { error: exit2 }),
    { units: { lastAttempt: { number: 1, exitCode: 2 } } },
  ],
  [
    'failed',
    'failed after 3 attempts: exit code 0',
    finalJob('failed', { error: exit2 }),
    { units: { lastAttempt: { number: 3, exitCode: 0 } } },
  ],
  ['failed', 'failed: the command ended with exit code 2', finalJob('failed', { error: exit2 }), {}],
  [
    'failed',
    'failed after 2 attempts: ran longer than 30 s',
    finalJob('failed', { error: timedOut }),
    { units: { lastAttempt: { number: 2, exitCode: null } } },
  ],
  [
    'failed',
    'failed after 3 attempts: vanished 3 times',
    finalJob('failed', { error: failure('poison', 'vanished 3 times') }),
    { units: { lastAttempt: { number: 3, exitCode: null } } },
  ],
  [
    'failed',
    'failed after 1 attempt: its processes vanished',
    finalJob('failed', { error: vanished }),
    { units: { lastAttempt: { number: 1, exitCode: null } } },
  ],
  ['failed', 'failed: an unknown error', finalJob('failed'), {}],
  [
    'failed',
    'failed: 3 of 100 units failed; the first: exit code 2',
    finalJob('failed', { error: exit2, counts: unitCounts({ completed: 97, failed: 3 }) }),
    { units: { lastAttempt: { number: 1, exitCode: 2 } } },
  ],
  [
    'failed',
    'failed after 3 m 12 s: its total timeout ran out',
    finalJob('failed', { error: timedOut, cancelReason: 'deadline', cancelRequestedAt: noon - 1 }),
    {},
  ],
  ['cancelled', 'cancelled before it started', finalJob('cancelled', { startedAt: null, cancelReason: 'user' }), {}],
  ['cancelled', 'cancelled after 3 m 12 s', finalJob('cancelled', { cancelReason: 'user' }), {}],
  [
    'cancelled',
    'cancelled before it started: a job it depends on did not complete',
    finalJob('cancelled', { startedAt: null, cancelReason: 'dependency' }),
    {},
  ],
  [
    'cancelled',
    'cancelled before it started: rejected in review',
    finalJob('cancelled', { startedAt: null, cancelReason: 'rejected' }),
    {},
  ],
  [
    'cancelled',
    'cancelled after 3 m 12 s: its schedule allows one run at a time',
    finalJob('cancelled', { cancelReason: 'overlap' }),
    {},
  ],

  // A cancel that is not confirmed yet.
  ['cancelling', 'asked to stop 2 s ago', startedJob({ cancelRequestedAt: noon - 2_000, cancelReason: 'user' }), {}],
  [
    'cancelling',
    'asked to stop 2 s ago; its processes get 3 s before they are killed',
    startedJob({ cancelRequestedAt: noon - 2_000, cancelReason: 'user' }),
    { cancelGraceMs: 3_000 },
  ],
  [
    'cancelling',
    'its total timeout ran out 100 ms ago; its processes get 0 ms before they are killed',
    startedJob({ cancelRequestedAt: noon - 100, cancelReason: 'deadline' }),
    { cancelGraceMs: 0 },
  ],
  [
    'cancelling',
    'asked to stop 1 m ago; worker unreachable, ends by 2030-01-01 12:05 UTC',
    startedJob({ cancelRequestedAt: noon - 60_000, cancelReason: 'user' }),
    { cancelGraceMs: 3_000, workerUnreachableUntil: noon + 300_000 },
  ],

  // Waiting for a person.
  [
    'awaiting_approval',
    'has waited 5 m for approval of the other 497 units: 2 of 3 test units completed',
    startedJob({ heldAt: noon - 300_000, holdKind: 'review', counts: unitCounts({ completed: 2, failed: 1 }) }),
    { unitsWaiting: 497 },
  ],
  [
    'awaiting_approval',
    "has waited 5 m for a person's permission",
    queuedJob({ heldAt: noon - 300_000, holdKind: 'permission', runAt: noon + 1_000 }),
    {},
  ],
  [
    'running',
    'running for 10 s: all 3 units ended, its final step runs; no output for 2 m',
    startedJob({ finalStep: 'running', counts: unitCounts({ completed: 3 }) }),
    { silentMs: 120_000 },
  ],
  [
    'running',
    'all its units ended; it is kept open for more',
    startedJob({ sealedAt: null, keepOpen: true, counts: unitCounts({ completed: 1 }) }),
    {},
  ],
  ['queued', 'its units are being added', queuedJob({ sealedAt: null, counts: unitCounts({}) }), {}],
  [
    'failed',
    'failed: 3 of 9 units failed; the first: exit code 2; too many units failed, so the rest was cancelled',
    finalJob('failed', {
      cancelReason: 'unit_failed',
      cancelRequestedAt: noon - 1,
      counts: unitCounts({ completed: 2, failed: 3, cancelled: 4 }),
      error: { code: 'command_failed', message: 'exit code 2', remedy: '' },
    }),
    {},
  ],
  ['pausing', 'paused 4 s ago; the running attempt is allowed to finish', startedJob({ pausedAt: noon - 4_000 }), {}],
  [
    'pausing',
    'paused 4 s ago; 3 units still running are allowed to finish',
    startedJob({ pausedAt: noon - 4_000, counts: unitCounts({ running: 3, available: 2 }) }),
    {},
  ],
  ['paused', 'paused 4 s ago; resume it to go on', queuedJob({ pausedAt: noon - 4_000 }), {}],
  [
    'paused',
    'paused 4 s ago; its processes are stopped and keep their slot',
    startedJob({ pausedAt: noon - 4_000, frozenAt: noon - 4_000 }),
    {},
  ],
  [
    'paused',
    'paused 1 s ago; its processes are stopped and keep their slot',
    startedJob({ frozenAt: noon - 1_000 }),
    {},
  ],
  ['paused', 'its queue "nightly" is paused', queuedJob({ queue: 'nightly' }), { queuePaused: true }],

  // Waiting for something else.
  ['blocked', 'waits for 2 of 3 jobs it depends on', queuedJob(), { dependencies: { total: 3, ended: 1 } }],
  ['blocked', 'waits for 1 of 1 job it depends on', queuedJob(), { dependencies: { total: 1, ended: 0 } }],
  ['scheduled', 'starts in 2 h, at 2030-01-01 14:00 UTC', queuedJob({ runAt: noon + 7_200_000 }), {}],
  [
    'retrying',
    'retry 2 of 5 in 40 s after exit code 1',
    startedJob({ maxAttempts: 6, counts: unitCounts({ available: 1 }) }),
    {
      units: {
        nextAvailableAt: noon + 40_000,
        retryingUnits: 1,
        failures: 2,
        lastError: exit2,
        lastAttempt: { number: 3, exitCode: 1 },
      },
    },
  ],
  [
    'retrying',
    'retry 1 of 2 in 500 ms after a timeout',
    startedJob({ maxAttempts: 3, counts: unitCounts({ available: 1 }) }),
    {
      units: {
        nextAvailableAt: noon + 500,
        retryingUnits: 1,
        lastError: timedOut,
        lastAttempt: { number: 1, exitCode: null },
      },
    },
  ],
  [
    'retrying',
    'retry 1 of 2 in 500 ms after an error: no such table',
    startedJob({ maxAttempts: 3, counts: unitCounts({ available: 1 }) }),
    {
      units: {
        nextAvailableAt: noon + 500,
        retryingUnits: 1,
        lastError: failure('handler_failed', 'no such table'),
        lastAttempt: { number: 1, exitCode: null },
      },
    },
  ],
  [
    'retrying',
    'runs again in 2 s after its processes vanished (1 of 3 before it is given up)',
    startedJob({ counts: unitCounts({ available: 1 }) }),
    {
      units: {
        nextAvailableAt: noon + 2_000,
        retryingUnits: 1,
        crashes: 1,
        lastError: vanished,
        lastAttempt: { number: 1, exitCode: null },
      },
    },
  ],
  [
    'retrying',
    '2 units to retry, the next in 40 s, after exit code 1',
    startedJob({ maxAttempts: 3, counts: unitCounts({ available: 2, completed: 5 }) }),
    {
      units: {
        nextAvailableAt: noon + 40_000,
        retryingUnits: 2,
        lastError: exit2,
        lastAttempt: { number: 1, exitCode: 1 },
      },
    },
  ],
  ['rate_limited', 'told to slow down; goes on in 12 s', queuedJob(), { rateLimitedUntil: noon + 12_000 }],

  // Running.
  ['running', 'running for 10 s', startedJob(), {}],
  ['running', 'running for 10 s, attempt 2', startedJob(), { units: { lastAttempt: { number: 2, exitCode: null } } }],
  [
    'running',
    'running for 10 s: 5 of 8 units ended, 1 running, 2 waiting',
    startedJob({ counts: unitCounts(many) }),
    {},
  ],
  ['running', 'between two attempts; starts next', startedJob({ counts: unitCounts({ available: 1 }) }), {}],
  [
    'running',
    'between two attempts; waits for a free slot: 4 of 4 are busy',
    startedJob({ counts: unitCounts({ available: 1 }) }),
    { slots: { total: 4, busy: 4 } },
  ],

  // Queued.
  ['queued', 'starts next', queuedJob(), {}],
  ['queued', 'starts next', queuedJob(), { slots: { total: 4, busy: 3 } }],
  ['queued', 'waits for a free slot: 4 of 4 are busy', queuedJob(), { slots: { total: 4, busy: 4 } }],
  [
    'queued',
    'waits for disk space: it is below the floor under which nothing starts',
    queuedJob(),
    { slots: { total: 4, busy: 4 }, diskFull: true },
  ],
  ['queued', 'waits for the next manager: this one is stopping', queuedJob(), { draining: true, diskFull: true }],
]

describe('displayState', () => {
  test.each(cases)('%s: %s', (state, why, job, facts) => {
    expect(displayState(job, { now: noon, ...facts })).toEqual({ state, why })
  })

  test('every state it can say is covered by a case', () => {
    expect(new Set(cases.map(([state]) => state))).toEqual(new Set(displayStates))
  })

  test('every sentence is one line without a full stop, an undefined or a NaN', () => {
    for (const [, , job, facts] of cases) {
      const { why } = displayState(job, { now: noon, ...facts })
      expect(why).toMatch(/^[^\n]{5,200}[^.\s]$/)
      expect(why).not.toMatch(/undefined|null|NaN|Infinity/)
    }
  })
})

describe('what wins over what', () => {
  const everything: Omit<DisplayFacts, 'now'> = {
    queuePaused: true,
    dependencies: { total: 2, ended: 0 },
    rateLimitedUntil: noon + 5_000,
    units: {
      nextAvailableAt: noon + 5_000,
      retryingUnits: 1,
      lastError: exit2,
      lastAttempt: { number: 1, exitCode: 1 },
    },
    slots: { total: 1, busy: 1 },
  }
  const flags = {
    heldAt: noon,
    pausedAt: noon,
    cancelRequestedAt: noon,
    cancelReason: 'user',
    runAt: noon + 9_000,
  } as const
  const state = (job: Job, facts: Omit<DisplayFacts, 'now'>): string => displayState(job, { now: noon, ...facts }).state

  test.each(finalJobStates)('a final state (%s) over every flag', (final) => {
    expect(state(finalJob(final, flags), everything)).toBe(final)
  })

  test('then cancel, approval, pause, queue pause, dependencies, schedule, retry, rate limit, the rest', () => {
    const job = queuedJob(flags)
    expect(state(job, everything)).toBe('cancelling')
    expect(state({ ...job, cancelRequestedAt: null, cancelReason: null }, everything)).toBe('awaiting_approval')
    const free = queuedJob({ ...flags, heldAt: null, cancelRequestedAt: null, cancelReason: null })
    expect(state(free, everything)).toBe('paused')
    expect(state({ ...free, pausedAt: null }, everything)).toBe('paused')
    expect(state({ ...free, pausedAt: null }, { ...everything, queuePaused: false })).toBe('blocked')
    const ready = { ...everything, queuePaused: false, dependencies: { total: 2, ended: 2 } }
    expect(state({ ...free, pausedAt: null }, ready)).toBe('scheduled')
    expect(state({ ...free, pausedAt: null, runAt: noon }, ready)).toBe('retrying')
    const { units: _, ...withoutUnits } = ready
    expect(state({ ...free, pausedAt: null, runAt: noon }, withoutUnits)).toBe('rate_limited')
    expect(state({ ...free, pausedAt: null, runAt: noon }, { slots: ready.slots })).toBe('queued')
  })

  test('what runs is shown as running while its queue is paused or limited', () => {
    expect(state(startedJob(), { queuePaused: true, rateLimitedUntil: noon + 1_000 })).toBe('running')
  })

  test('a unit that runs hides others that back off; a backoff that is over is no retry', () => {
    const backing = { nextAvailableAt: noon + 5_000, retryingUnits: 1, lastError: exit2 }
    expect(state(startedJob({ counts: unitCounts({ available: 1, running: 1 }) }), { units: backing })).toBe('running')
    const waiting = startedJob({ counts: unitCounts({ available: 1 }) })
    expect(state(waiting, { units: backing })).toBe('retrying')
    expect(state(waiting, { units: { ...backing, nextAvailableAt: noon } })).toBe('running')
    expect(state(waiting, { units: { ...backing, retryingUnits: 0 } })).toBe('running')
  })

  test('run_at in the future no longer matters once the job has started', () => {
    expect(state(startedJob({ runAt: noon + 60_000 }), {})).toBe('running')
  })

  test.each(cancelReasons)('a cancel for the reason %s is shown while it is carried out', (cancelReason) => {
    expect(state(startedJob({ cancelRequestedAt: noon, cancelReason }), {})).toBe('cancelling')
  })
})
