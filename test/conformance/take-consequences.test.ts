import { describe, expect, test } from 'vitest'
import type { JobStore } from '../../src/domain/ports/job-store.ts'
import { implementations } from './support/implementations.ts'
import { brokenRecord, claim, claimSome, facts, jobIdOf, newJob, start, submit, unitIdOf } from './support/jobs.ts'

const none = { runnable: [], stops: [], settled: [], feed: false, sweeps: [] }

/** @returns the number of each job with a lane that may have become claimable, and the key of the lane. */
function runnable(store: JobStore): (readonly [number, string | null])[] {
  return store.takeConsequences().runnable.map((lane) => [Number(lane.jobId.slice(-12)), lane.limitKey] as const)
}

describe.each(implementations)('$name: takeConsequences', ({ open }) => {
  test('names a new job once', () => {
    const { store } = open()
    expect(store.takeConsequences()).toEqual(none)
    store.atomically(() => {
      submit(store, newJob(1, { runAt: start + 50 }, 3))
      expect(store.takeConsequences()).toMatchObject({ runnable: [{ jobId: jobIdOf(1), nextDueAt: start + 50 }] })
      expect(store.takeConsequences()).toEqual(none)
    })
    expect(store.takeConsequences()).toEqual(none)
  })

  test('forgets what was undone, and only that', () => {
    const { store } = open()
    store.atomically(() => {
      submit(store, newJob(1))
      expect(() =>
        store.atomically(() => {
          submit(store, newJob(2))
          throw new Error('undo')
        }),
      ).toThrow('undo')
      expect(runnable(store)).toEqual([[1, null]])
      submit(store, newJob(3))
    })
    expect(() =>
      store.atomically(() => {
        store.requestCancel(jobIdOf(3), 'user', start)
        throw new Error('undo')
      }),
    ).toThrow('undo')
    expect(store.takeConsequences()).toMatchObject({ runnable: [{ jobId: jobIdOf(3) }], settled: [] })
  })

  test('leaves out what cannot be claimed at all by then', () => {
    const { store } = open()
    for (const number of [1, 2, 3, 4]) submit(store, newJob(number, { queue: number === 4 ? 'night' : 'default' }))
    submit(store, newJob(5, { dependencies: [{ jobId: jobIdOf(1), alias: 'one', condition: 'ended' }] }))
    store.pauseJob(jobIdOf(2), false, start)
    store.requestCancel(jobIdOf(3), 'user', start)
    store.updateQueue('night', { paused: true }, start)
    expect(runnable(store)).toEqual([[1, null]])
  })

  test('a claim names nothing; a completed unit of an unlimited job neither', () => {
    const { store } = open()
    submit(store, newJob(1, {}, 3))
    store.takeConsequences()
    const { fence } = claim(store, jobIdOf(1))
    store.completeUnitIfHeld(fence, null, facts())
    expect(store.takeConsequences()).toEqual(none)
  })

  test('a unit that is available again names its lane', () => {
    const { store } = open()
    const units = ['a', 'b'].map((limitKey, position) => ({ id: unitIdOf(1, position), input: position, limitKey }))
    submit(store, newJob(1, { units, maxAttempts: 2 }))
    const { fence } = claim(store, jobIdOf(1), { limitKey: 'b' })
    store.takeConsequences()
    store.failUnitIfHeld(fence, 'failed', start + 70, null, facts({ error: brokenRecord }))
    expect(store.takeConsequences().runnable).toMatchObject([{ limitKey: 'b', nextDueAt: start + 70 }])
  })

  test('an end makes room in a job with a limit of its own', () => {
    const { store } = open()
    submit(store, newJob(1, { concurrency: 1 }, 2))
    const { fence } = claim(store, jobIdOf(1))
    store.takeConsequences()
    store.completeUnitIfHeld(fence, null, facts())
    expect(runnable(store)).toEqual([[1, null]])
  })

  test('names what resuming, deciding, updating and unpausing make claimable', () => {
    const { store, setFlag } = open()
    for (const number of [1, 2, 3]) submit(store, newJob(number, { queue: number === 3 ? 'night' : 'default' }))
    store.pauseJob(jobIdOf(1), true, start)
    setFlag(jobIdOf(2), 'heldAt', start)
    store.updateQueue('night', { paused: true }, start)
    store.takeConsequences()
    store.resumeJob(jobIdOf(1), start)
    expect(runnable(store)).toEqual([[1, null]])
    store.decideJob(jobIdOf(2), 'approved', 'person', start)
    expect(runnable(store)).toEqual([[2, null]])
    store.updateJob(jobIdOf(2), { priority: 1 }, start)
    expect(runnable(store)).toEqual([[2, null]])
    store.updateQueue('night', { paused: false }, start)
    expect(runnable(store)).toEqual([[3, null]])
  })

  test('names the jobs that settled, also those that a cancel took along', () => {
    const { store } = open()
    submit(store, newJob(1))
    submit(store, newJob(2, { dependencies: [{ jobId: jobIdOf(1), alias: 'one', condition: 'completed' }] }))
    store.takeConsequences()
    store.requestCancel(jobIdOf(1), 'user', start)
    const { settled } = store.takeConsequences()
    expect(settled).toEqual([store.readJob(jobIdOf(1)), store.readJob(jobIdOf(2))])
  })

  test('says that a source may be fed', () => {
    const { store } = open()
    const source = { kind: 'range', from: 0, step: 1, total: 2 } as const
    submit(store, newJob(1, { source }))
    expect(store.takeConsequences().feed).toBe(true)
    const batch = (done: boolean) => ({ units: [], cursor: 1, done })
    const seq = store.readOpenSources(1)[0]?.seq ?? 0
    store.insertUnits(seq, batch(false), start)
    expect(store.takeConsequences().feed).toBe(true)
    store.insertUnits(seq, batch(true), start)
    expect(store.takeConsequences().feed).toBe(false)
    store.appendSource(jobIdOf(1), source, start)
    expect(store.takeConsequences().feed).toBe(true)
  })

  test('new units name their lanes', () => {
    const { store } = open()
    submit(store, newJob(1, { source: { kind: 'range', from: 0, step: 1, total: 9 } }))
    store.takeConsequences()
    const units = ['a', 'b', 'a'].map((limitKey, index) => ({ id: unitIdOf(1, index + 1), input: index, limitKey }))
    store.insertUnits(store.readOpenSources(1)[0]?.seq ?? 0, { units, cursor: 3, done: false }, start)
    expect(runnable(store)).toEqual([
      [1, 'a'],
      [1, 'b'],
    ])
  })

  test('the units that a cancel of other cause must stop are named', () => {
    const { store } = open()
    submit(store, newJob(1, { failureBudget: { units: null, percent: null, stopEarly: true } }, 2))
    const [first, second] = claimSome(store, jobIdOf(1), 2)
    if (first === undefined || second === undefined) throw new Error('not claimed')
    store.failUnitIfHeld(first.fence, 'failed', null, null, facts({ error: brokenRecord }))
    expect(store.takeConsequences().stops).toEqual(store.findHeldUnits({ limit: 5 }))
    expect(store.findHeldUnits({ limit: 5 }).map((held) => held.fence)).toEqual([second.fence])
  })

  test('the units that any cancel must stop are named, once', () => {
    const { store } = open()
    submit(store, newJob(1, {}, 2))
    const { fence } = claim(store, jobIdOf(1))
    store.takeConsequences()
    store.requestCancel(jobIdOf(1), 'source', start)
    expect(store.takeConsequences().stops.map((held) => held.fence)).toEqual([fence])
    store.requestCancel(jobIdOf(1), 'user', start)
    expect(store.takeConsequences().stops).toEqual([])
  })
})
