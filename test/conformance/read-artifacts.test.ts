import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import { artifact, brokenRecord, claim, facts, jobIdOf, newJob, start, submit, unitIdOf } from './support/jobs.ts'

const failed = facts({ error: brokenRecord, now: start })

describe.each(implementations)('$name: readArtifacts', ({ open }) => {
  function names(store: ReturnType<typeof open>['store'], options: { unitId?: string; limit?: number } = {}) {
    const found = store.readArtifacts(jobIdOf(1), { limit: 100, ...options })
    return found.map(({ position, attempt, name }) => [position, attempt, name])
  }

  test('gives those of a job by position and name, up to the limit; or of one unit', () => {
    const { store } = open()
    submit(store, newJob(2))
    submit(store, newJob(1, {}, 3))
    const claims = [0, 1, 2].map(() => claim(store, jobIdOf(1)))
    const other = claim(store, jobIdOf(2))
    for (const { fence } of [...claims.reverse(), other]) {
      store.recordArtifactsIfHeld(fence, [artifact('b'), artifact('a')])
      store.completeUnitIfHeld(fence, null, facts())
    }
    const all = [0, 1, 2].flatMap((position) => ['a', 'b'].map((name) => [position, 1, name]))
    expect(names(store)).toEqual(all)
    expect(names(store, { limit: 3 })).toEqual(all.slice(0, 3))
    expect(names(store, { unitId: unitIdOf(1, 1) })).toEqual(all.slice(2, 4))
    expect(names(store, { unitId: unitIdOf(1, 1), limit: 1 })).toEqual(all.slice(2, 3))
    expect(names(store, { unitId: unitIdOf(2, 0) }), 'a unit of another job').toEqual([])
    expect(store.readArtifacts(jobIdOf(9), { limit: 9 })).toEqual([])
  })

  test('only of the attempt that completed, not of those that were tried again', () => {
    const { store } = open()
    submit(store, newJob(1, { maxAttempts: 3 }))
    const first = claim(store, jobIdOf(1))
    store.recordArtifactsIfHeld(first.fence, [artifact('half'), artifact('report')])
    expect(names(store), 'while it runs').toEqual([])
    store.failUnitIfHeld(first.fence, 'failed', start, null, failed)
    expect(names(store), 'while it waits for the next attempt').toEqual([])
    const second = claim(store, jobIdOf(1))
    store.recordArtifactsIfHeld(second.fence, [artifact('report')])
    expect(names(store), 'while the next one runs').toEqual([])
    store.completeUnitIfHeld(second.fence, null, facts())
    expect(names(store)).toEqual([[0, 2, 'report']])
    expect(names(store, { unitId: unitIdOf(1, 0) })).toEqual([[0, 2, 'report']])
  })

  test('of the last attempt of a unit that failed', () => {
    const { store } = open()
    submit(store, newJob(1, { maxAttempts: 2 }))
    for (const name of ['first trace', 'last trace']) {
      const { fence } = claim(store, jobIdOf(1))
      store.recordArtifactsIfHeld(fence, [artifact(name)])
      store.failUnitIfHeld(fence, 'failed', start, null, failed)
    }
    expect(names(store)).toEqual([[0, 2, 'last trace']])
    expect(names(store, { unitId: unitIdOf(1, 0) })).toEqual([[0, 2, 'last trace']])
  })

  test('of no unit that was cancelled', () => {
    const { store } = open()
    submit(store, newJob(1))
    const { fence } = claim(store, jobIdOf(1))
    store.recordArtifactsIfHeld(fence, [artifact('half')])
    store.requestCancel(jobIdOf(1), 'user', start)
    store.cancelUnitIfHeld(fence, null, facts())
    expect(names(store)).toEqual([])
    expect(names(store, { unitId: unitIdOf(1, 0) })).toEqual([])
  })
})
