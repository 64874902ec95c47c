import { describe, expect, test } from 'vitest'
import type { FailureBudget } from '../../src/domain/job.ts'
import type { JobStore } from '../../src/domain/ports/job-store.ts'
import { implementations } from './support/implementations.ts'
import { brokenRecord, claimSome, facts, jobIdOf, newJob, start, submit } from './support/jobs.ts'

const budget = (changes: Partial<FailureBudget>) => ({
  failureBudget: { units: null, percent: null, stopEarly: false, ...changes },
})

/** Runs one unit after the other. @returns the job after the last */
function run(store: JobStore, job: number, outcomes: readonly ('ok' | 'bad')[]) {
  for (const outcome of outcomes) {
    const [held] = claimSome(store, jobIdOf(job), 1)
    if (held === undefined) break
    if (outcome === 'ok') store.completeUnitIfHeld(held.fence, null, facts())
    else store.failUnitIfHeld(held.fence, 'failed', null, null, facts({ error: brokenRecord }))
  }
  return store.readJob(jobIdOf(job))
}

describe.each(implementations)('$name: failure budget', ({ open }) => {
  test('as many failed units as it allows leave the job completed, without an error', () => {
    const { store } = open()
    submit(store, newJob(1, budget({ units: 2 }), 4))
    expect(run(store, 1, ['bad', 'ok', 'bad', 'ok'])).toMatchObject({
      state: 'completed',
      error: null,
      counts: { failed: 2 },
    })
  })

  test('one more fails it', () => {
    const { store } = open()
    submit(store, newJob(1, budget({ units: 2 }), 4))
    expect(run(store, 1, ['bad', 'ok', 'bad', 'bad'])).toMatchObject({ state: 'failed', error: brokenRecord })
  })

  test('a percentage is of all units', () => {
    const { store } = open()
    submit(store, newJob(1, budget({ percent: 50 }), 4))
    submit(store, newJob(2, budget({ percent: 50 }), 4))
    expect(run(store, 1, ['bad', 'bad', 'ok', 'ok'])).toMatchObject({ state: 'completed' })
    expect(run(store, 2, ['bad', 'bad', 'bad', 'ok'])).toMatchObject({ state: 'failed' })
  })

  test('stopping early without a budget cancels the rest with the first failed unit', () => {
    const { store } = open()
    submit(store, newJob(1, budget({ stopEarly: true }), 4))
    const [first, second] = claimSome(store, jobIdOf(1), 2)
    if (first === undefined || second === undefined) throw new Error('not claimed')
    store.takeConsequences()
    const end = store.failUnitIfHeld(first.fence, 'failed', null, null, facts({ error: brokenRecord }))
    expect(end).toMatchObject({
      settled: false,
      job: { cancelReason: 'unit_failed', counts: { cancelled: 2, running: 1 } },
    })
    expect(store.takeConsequences().stops.map((held) => held.fence)).toEqual([second.fence])
    expect(store.cancelUnitIfHeld(second.fence, null, facts())).toMatchObject({
      settled: true,
      job: { state: 'failed', error: brokenRecord },
    })
  })

  test('stopping early waits for one failure more than the budget', () => {
    const { store } = open()
    submit(store, newJob(1, budget({ units: 1, stopEarly: true }), 4))
    expect(run(store, 1, ['bad'])).toMatchObject({ state: 'running', cancelRequestedAt: null })
    expect(run(store, 1, ['bad'])).toMatchObject({ state: 'failed', counts: { failed: 2, cancelled: 2 } })
  })

  test('a percentage is judged early only when ten units have ended, and of all that will come', () => {
    const { store } = open()
    submit(store, newJob(1, budget({ percent: 10, stopEarly: true }), 20))
    const bad = Array.from({ length: 9 }, () => 'bad' as const)
    expect(run(store, 1, bad)).toMatchObject({ state: 'running', cancelRequestedAt: null })
    expect(run(store, 1, ['bad'])).toMatchObject({ state: 'failed', counts: { failed: 10, cancelled: 10 } })
    const source = { kind: 'range', from: 0, step: 1, total: 990 } as const
    submit(store, newJob(2, { ...budget({ percent: 10, stopEarly: true }), source }, 20))
    expect(run(store, 2, [...bad, ...bad])).toMatchObject({ state: 'running', cancelRequestedAt: null })
  })

  test('the end that makes ten judges the failures before it, though it is none itself', () => {
    const { store } = open()
    submit(store, newJob(1, budget({ percent: 10, stopEarly: true }), 20))
    const first = [
      ...Array.from({ length: 5 }, () => 'bad' as const),
      ...Array.from({ length: 4 }, () => 'ok' as const),
    ]
    expect(run(store, 1, first)).toMatchObject({ state: 'running', cancelRequestedAt: null })
    expect(run(store, 1, ['ok'])).toMatchObject({ state: 'failed', counts: { failed: 5, completed: 5, cancelled: 10 } })
  })

  test('without stopping early everything runs', () => {
    const { store } = open()
    submit(store, newJob(1, {}, 3))
    expect(run(store, 1, ['bad', 'ok', 'ok'])).toMatchObject({
      state: 'failed',
      counts: { completed: 2, cancelled: 0 },
    })
    submit(store, newJob(2, { ...budget({ units: 0 }), runAt: start }, 2))
    expect(run(store, 2, ['bad', 'ok'])).toMatchObject({ state: 'failed' })
  })
})
