import { describe, expect, test } from 'vitest'
import {
  type AttemptOutcome,
  attemptOutcomes,
  finalJobStates,
  finalUnitStates,
  isFinalJobState,
  isFinalUnitState,
  jobStates,
  priorities,
  priorityName,
  unitStates,
} from '../../../src/domain/states.ts'
import { isJobTransition, isUnitTransition, jobTransitions, unitTransitions } from '../../../src/domain/transitions.ts'

/** Written by hand from the promise, not from the table: what may follow what. */
const jobExpectation: Readonly<Record<string, readonly string[]>> = {
  none: ['queued'],
  queued: ['running', 'completed', 'failed', 'cancelled'],
  running: ['completed', 'failed', 'cancelled'],
  completed: [],
  failed: [],
  cancelled: [],
}

/** `from > to`: the outcomes of the attempt that ends there; `-`: no attempt ends. */
const unitExpectation: Readonly<Record<string, readonly (AttemptOutcome | '-')[]>> = {
  'none > available': ['-'],
  'available > running': ['-'],
  'available > cancelled': ['-'],
  'running > completed': ['completed'],
  'running > available': ['failed', 'timed_out', 'released', 'rate_limited', 'lost'],
  'running > failed': ['failed', 'timed_out', 'lost'],
  'running > cancelled': ['cancelled', 'failed', 'timed_out', 'released', 'rate_limited', 'lost'],
}

const jobCases = [null, ...jobStates].flatMap((from) => jobStates.map((to) => ({ from, to })))
const unitCases = [null, ...unitStates].flatMap((from) =>
  unitStates.flatMap((to) => [undefined, ...attemptOutcomes].map((outcome) => ({ from, to, outcome }))),
)

describe('job transitions', () => {
  test.each(jobCases)('$from to $to', ({ from, to }) => {
    expect(isJobTransition(from, to)).toBe(jobExpectation[from ?? 'none']?.includes(to))
  })

  test('only settle ends a job, and only the dispatcher starts it', () => {
    for (const row of jobTransitions) {
      const by = row.from === null ? 'submit' : row.to === 'running' ? 'dispatcher' : 'settle'
      expect(row.by).toBe(by)
    }
  })
})

describe('unit transitions', () => {
  test.each(unitCases)('$from to $to with $outcome', ({ from, to, outcome }) => {
    const allowed = unitExpectation[`${from ?? 'none'} > ${to}`]
    const expected =
      allowed !== undefined && (outcome === undefined || allowed.includes('-') || allowed.includes(outcome))
    expect(isUnitTransition(from, to, outcome)).toBe(expected)
  })

  test('every end of an attempt is recorded with an outcome, and nothing else is', () => {
    for (const row of unitTransitions) {
      if (row.from === 'running') expect(row.outcomes?.length).toBeGreaterThan(0)
      else expect(row.outcomes).toBeNull()
    }
  })

  test('only a failure or a timeout counts against max_attempts, and never under a cancel or a rate limit', () => {
    for (const row of unitTransitions) {
      const isTried = row.to === 'available' || row.to === 'failed'
      const isFailure = row.outcomes?.some((outcome) => outcome === 'failed' || outcome === 'timed_out') === true
      expect(row.counts).toBe(isTried && isFailure)
    }
  })

  test('what ends an attempt is fenced, and a lost one only after its processes are gone', () => {
    for (const row of unitTransitions.filter((one) => one.from === 'running')) {
      expect(row.guard).toContain('fence')
      if (row.by === 'recoverer') expect(row.guard).toContain('processes proven gone')
    }
  })
})

describe('final is final', () => {
  test('no row of either table leaves a final state', () => {
    expect(jobTransitions.filter((row) => row.from !== null && isFinalJobState(row.from))).toEqual([])
    expect(unitTransitions.filter((row) => row.from !== null && isFinalUnitState(row.from))).toEqual([])
  })

  test('the final states are the three that the guards name', () => {
    expect(jobStates.filter(isFinalJobState)).toEqual([...finalJobStates])
    expect(unitStates.filter(isFinalUnitState)).toEqual([...finalUnitStates])
  })

  test('every state is reached, and every one that is not final is left', () => {
    for (const state of jobStates) {
      expect(jobTransitions.some((row) => row.to === state)).toBe(true)
      expect(jobTransitions.some((row) => row.from === state)).toBe(!isFinalJobState(state))
    }
    for (const state of unitStates) {
      expect(unitTransitions.some((row) => row.to === state)).toBe(true)
      expect(unitTransitions.some((row) => row.from === state)).toBe(!isFinalUnitState(state))
    }
  })
})

describe('priorities', () => {
  test('run in the order urgent, normal, low, idle', () => {
    expect(
      Object.entries(priorities)
        .sort((left, right) => left[1] - right[1])
        .map(([name]) => name),
    ).toEqual(['urgent', 'normal', 'low', 'idle'])
  })

  test('have a name for each number, and a number outside is an error', () => {
    for (const [name, number] of Object.entries(priorities)) expect(priorityName(number)).toBe(name)
    expect(() => priorityName(9 as 1)).toThrow('unknown priority 9')
  })
})
