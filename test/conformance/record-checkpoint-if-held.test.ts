import { describe, expect, test } from 'vitest'
import type { Json } from '../../src/domain/job.ts'
import { implementations } from './support/implementations.ts'
import { brokenRecord, claim, facts, jobIdOf, newJob, start, submit, unitIdOf, wrongFences } from './support/jobs.ts'

const unitId = unitIdOf(1, 0)
const kept = (state: Json) => ({ state, format: 'pages/1' })
const failed = facts({ error: brokenRecord, now: start })
const crash = { mayRerun: true, countsAsCrash: true, retryAt: start }

describe.each(implementations)('$name: recordCheckpointIfHeld', ({ open }) => {
  test('keeps the newest one over every end that is no completion', () => {
    const { store } = open()
    submit(store, newJob(1, { maxAttempts: 2 }))
    const expectKept = (state: Json) =>
      expect(store.readCheckpoints([unitId])).toEqual(new Map([[unitId, kept(state)]]))

    const lost = claim(store, jobIdOf(1))
    expect(store.recordCheckpointIfHeld(lost.fence, kept({ page: 1, seen: ['ü', null] }))).toBe(true)
    store.loseUnitIfHeld(lost.fence, crash, failed)
    expectKept({ page: 1, seen: ['ü', null] })

    const second = claim(store, jobIdOf(1))
    expectKept({ page: 1, seen: ['ü', null] })
    store.recordCheckpointIfHeld(second.fence, { state: { page: 2 }, format: null })
    store.recordCheckpointIfHeld(second.fence, kept({ page: 3 }))
    store.failUnitIfHeld(second.fence, 'timed_out', start, null, failed)
    expectKept({ page: 3 })

    store.releaseUnitIfHeld(claim(store, jobIdOf(1)).fence, failed)
    store.deferUnitIfHeld(claim(store, jobIdOf(1)).fence, start, null, failed)
    expectKept({ page: 3 })
  })

  test('is gone once the unit completed: nothing goes on from it', () => {
    const { store } = open()
    submit(store, newJob(1))
    const { fence } = claim(store, jobIdOf(1))
    store.recordCheckpointIfHeld(fence, kept({ page: 1 }))
    store.completeUnitIfHeld(fence, 'done', facts())
    expect(store.readCheckpoints([unitId])).toEqual(new Map())
    expect(store.readUnitPayload(unitId)?.output).toBe('done')
  })

  test('changes nothing for a wrong fence, after the end, and writes no event', () => {
    const { store } = open()
    submit(store, newJob(1, { maxAttempts: 2 }))
    const { fence } = claim(store, jobIdOf(1))
    store.recordCheckpointIfHeld(fence, kept('mine'))
    const events = store.lastEventId()
    for (const [what, wrong] of wrongFences(fence)) {
      expect(store.recordCheckpointIfHeld(wrong, kept('stolen')), what).toBe(false)
    }
    expect(store.lastEventId()).toBe(events)
    store.failUnitIfHeld(fence, 'failed', start, null, failed)
    expect(store.recordCheckpointIfHeld(fence, kept('too late'))).toBe(false)
    claim(store, jobIdOf(1))
    expect(store.recordCheckpointIfHeld(fence, kept('of an earlier attempt'))).toBe(false)
    expect(store.readCheckpoints([unitId])).toEqual(new Map([[unitId, kept('mine')]]))
  })
})
