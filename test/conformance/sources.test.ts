import { describe, expect, test } from 'vitest'
import type { JobStore } from '../../src/domain/ports/job-store.ts'
import { implementations } from './support/implementations.ts'
import {
  claim,
  claimSome,
  eventTypes,
  facts,
  finalStepIdOf,
  jobIdOf,
  newJob,
  options,
  start,
  submit,
  unitIdOf,
} from './support/jobs.ts'

const list = (...items: string[]) => ({ kind: 'list', items, total: items.length }) as const
const range = (total: number) => ({ kind: 'range', from: 10, step: 5, total }) as const

function insert(
  store: JobStore,
  sourceSeq: number,
  units: readonly { number: number; key?: string; limitKey?: string }[],
  progress: { cursor: number; done?: boolean },
) {
  const named = units.map(({ number, ...rest }) => ({ id: unitIdOf(1, number), input: number, ...rest }))
  return store.insertUnits(
    sourceSeq,
    { units: named, cursor: progress.cursor, done: progress.done ?? false },
    start + 1,
  )
}

describe.each(implementations)('$name: appendSource, readOpenSources, readSourceTotals', ({ open }) => {
  test('keeps every kind of source with its job and how far it is', () => {
    const { store } = open()
    submit(store, newJob(1, { units: [], source: list('a', 'b') }))
    submit(store, newJob(2))
    const spool = { kind: 'spool', file: 'spool/1.jsonl', total: 7 } as const
    for (const source of [range(3), spool]) {
      expect(store.appendSource(jobIdOf(2), source, start)).toMatchObject({ kind: 'appended', job: { sealedAt: null } })
    }
    const found = store.readOpenSources(10)
    expect(found.map((each) => each.source)).toEqual([list('a', 'b'), range(3), spool])
    expect(found[1]).toMatchObject({ job: store.readJob(jobIdOf(2)), options, cursor: 0, added: 0, skipped: 0 })
    expect(store.readOpenSources(2)).toHaveLength(2)
    expect(store.readSourceTotals(jobIdOf(2))).toEqual({ waiting: 10, skipped: 0 })
    expect(store.readSourceTotals(jobIdOf(9))).toEqual({ waiting: 0, skipped: 0 })
  })

  test('adds nothing to a job that is over, cancelling, at its final step, or not there', () => {
    const { store } = open()
    submit(store, newJob(1))
    store.requestCancel(jobIdOf(1), 'user', start)
    submit(store, newJob(2))
    claim(store, jobIdOf(2))
    store.requestCancel(jobIdOf(2), 'user', start)
    submit(store, newJob(3, { finalStep: { unitId: finalStepIdOf(3), params: {} } }))
    store.completeUnitIfHeld(claim(store, jobIdOf(3)).fence, null, facts())
    const kinds = [1, 2, 3, 9].map((number) => store.appendSource(jobIdOf(number), range(1), start).kind)
    expect(kinds).toEqual(['already_final', 'cancelling', 'already_final', 'not_found'])
    expect(store.readOpenSources(10)).toEqual([])
  })

  test('a cancel ends the sources of a job', () => {
    const { store } = open()
    submit(store, newJob(1, { source: range(3) }))
    const seq = store.readOpenSources(1)[0]?.seq ?? 0
    const cancelled = store.requestCancel(jobIdOf(1), 'user', start)
    expect(cancelled).toMatchObject({ kind: 'cancelled', job: { sealedAt: start } })
    expect(store.readOpenSources(10)).toEqual([])
    expect(insert(store, seq, [{ number: 1 }], { cursor: 1 })).toBeNull()
    expect(store.readJob(jobIdOf(1))?.counts.total).toBe(1)
  })

  test('a cancel that prevented units leaves the job cancelled, although all that ran completed', () => {
    const { store } = open()
    submit(store, newJob(1, { source: range(3) }))
    store.completeUnitIfHeld(claim(store, jobIdOf(1)).fence, null, facts())
    expect(store.requestCancel(jobIdOf(1), 'user', start)).toMatchObject({ job: { state: 'cancelled' } })
  })
})

describe.each(implementations)('$name: insertUnits', ({ open }) => {
  test('adds units behind the last position and moves the cursor', () => {
    const { store } = open()
    submit(store, newJob(1, { source: range(4) }, 2))
    const seq = store.readOpenSources(1)[0]?.seq ?? 0
    expect(insert(store, seq, [{ number: 2 }, { number: 3 }], { cursor: 2 })).toMatchObject({
      added: 2,
      skipped: 0,
      job: { sealedAt: null, counts: { total: 4, available: 4 } },
    })
    expect(store.readOpenSources(1)[0]).toMatchObject({ cursor: 2, added: 2, skipped: 0 })
    expect(store.readSourceTotals(jobIdOf(1)).waiting).toBe(2)
    expect(insert(store, seq, [{ number: 4 }, { number: 5 }], { cursor: 4, done: true })).toMatchObject({
      added: 4,
      job: { sealedAt: start + 1 },
    })
    expect(store.readUnits(jobIdOf(1), { limit: 10 }).map((unit) => [unit.position, unit.id])).toEqual(
      [0, 1, 2, 3, 4, 5].map((number) => [number, unitIdOf(1, number)]),
    )
    expect(store.readUnitPayload(unitIdOf(1, 4))).toEqual({ input: 4, output: null })
    expect(store.readOpenSources(1)).toEqual([])
    expect(eventTypes(store).slice(1)).toEqual(['job.units_added', 'job.units_added'])
  })

  test('skips units whose key is in the job, counts them, and leaves no gap', () => {
    const { store } = open()
    submit(store, newJob(1, { units: [], source: range(5) }))
    const seq = store.readOpenSources(1)[0]?.seq ?? 0
    insert(
      store,
      seq,
      [
        { number: 0, key: 'a' },
        { number: 1, key: 'b' },
      ],
      { cursor: 2 },
    )
    const again = [
      { number: 2, key: 'b' },
      { number: 3, key: 'c' },
      { number: 4, key: 'c' },
    ]
    const { job: _job, ...progress } = insert(store, seq, again, { cursor: 5, done: true }) ?? {}
    expect(progress).toEqual({ added: 3, skipped: 2 })
    expect(store.readUnits(jobIdOf(1), { limit: 9 }).map((unit) => [unit.position, unit.key])).toEqual([
      [0, 'a'],
      [1, 'b'],
      [2, 'c'],
    ])
    expect(store.readSourceTotals(jobIdOf(1))).toEqual({ waiting: 0, skipped: 2 })
  })

  test('settles a job whose units have all ended when its last source is done', () => {
    const { store } = open()
    submit(store, newJob(1, { source: range(1) }))
    store.appendSource(jobIdOf(1), range(1), start)
    expect(store.completeUnitIfHeld(claim(store, jobIdOf(1)).fence, null, facts())?.settled).toBe(false)
    const [first, second] = store.readOpenSources(5)
    expect(insert(store, first?.seq ?? 0, [], { cursor: 1, done: true })).toMatchObject({ job: { state: 'running' } })
    expect(insert(store, second?.seq ?? 0, [], { cursor: 1, done: true })).toMatchObject({
      job: { state: 'completed' },
    })
    expect(insert(store, second?.seq ?? 0, [], { cursor: 1, done: true })).toBeNull()
  })

  test('does not seal a job that is kept open', () => {
    const { store } = open()
    submit(store, newJob(1, { units: [], keepOpen: true, source: range(1) }))
    const seq = store.readOpenSources(1)[0]?.seq ?? 0
    insert(store, seq, [{ number: 0 }], { cursor: 1, done: true })
    store.completeUnitIfHeld(claim(store, jobIdOf(1)).fence, null, facts())
    expect(store.readJob(jobIdOf(1))).toMatchObject({ state: 'running', sealedAt: null })
  })

  test('an appended source takes the seal off again', () => {
    const { store } = open()
    submit(store, newJob(1))
    const [held] = claimSome(store, jobIdOf(1), 1)
    store.appendSource(jobIdOf(1), range(1), start)
    if (held === undefined) throw new Error('not claimed')
    expect(store.completeUnitIfHeld(held.fence, null, facts())?.settled).toBe(false)
  })
})
