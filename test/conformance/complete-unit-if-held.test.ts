import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import { claim, eventTypes, facts, jobIdOf, newJob, start, submit, wrongFences } from './support/jobs.ts'

describe.each(implementations)('$name: completeUnitIfHeld', ({ open }) => {
  test('keeps result, attempt and state, and settles the job in one change', () => {
    const { store } = open()
    submit(store, newJob(1))
    const { fence } = claim(store, jobIdOf(1))
    const before = store.lastEventId()
    const end = store.completeUnitIfHeld(fence, { exit_code: 0, list: [1, 'ü'] }, facts({ now: start + 9 }))
    expect(end?.settled).toBe(true)
    expect(end?.unit).toMatchObject({ state: 'completed', finishedAt: start + 9, attempt: 1 })
    expect(end?.job).toMatchObject({
      state: 'completed',
      finishedAt: start + 9,
      error: null,
      counts: { completed: 1, running: 0 },
    })
    expect(store.readJob(jobIdOf(1))).toEqual(end?.job)
    expect(store.readUnits(jobIdOf(1), { limit: 1 })).toEqual([end?.unit])
    expect(store.readUnitPayload(fence.unitId)?.output).toEqual({ exit_code: 0, list: [1, 'ü'] })
    expect(store.readAttempts(fence.unitId)).toMatchObject([
      { outcome: 'completed', exitCode: 0, finishedAt: start + 9 },
    ])
    expect(eventTypes(store, before)).toEqual(['unit.completed', 'job.completed'])
  })

  test('settles only with the last unit', () => {
    const { store } = open()
    submit(store, newJob(1, {}, 2))
    const first = claim(store, jobIdOf(1))
    const second = claim(store, jobIdOf(1))
    expect(store.completeUnitIfHeld(first.fence, 1, facts())).toMatchObject({
      settled: false,
      job: { state: 'running' },
    })
    expect(store.completeUnitIfHeld(second.fence, 2, facts())).toMatchObject({
      settled: true,
      job: { state: 'completed' },
    })
  })

  test('answers null for a wrong fence and keeps nothing', () => {
    const { store } = open()
    submit(store, newJob(1))
    const { fence } = claim(store, jobIdOf(1))
    const events = store.lastEventId()
    for (const [what, wrong] of wrongFences(fence)) {
      expect(store.completeUnitIfHeld(wrong, 'stale', facts()), what).toBeNull()
    }
    expect(store.readUnitPayload(fence.unitId)?.output).toBeNull()
    expect(store.readJob(jobIdOf(1))?.state).toBe('running')
    expect(store.lastEventId()).toBe(events)
  })

  test('answers null the second time: an attempt ends once', () => {
    const { store } = open()
    submit(store, newJob(1))
    const { fence } = claim(store, jobIdOf(1))
    store.completeUnitIfHeld(fence, 'first', facts())
    expect(store.completeUnitIfHeld(fence, 'second', facts())).toBeNull()
    expect(store.readUnitPayload(fence.unitId)?.output).toBe('first')
  })

  test('refuses the holder of an earlier attempt', () => {
    const { store } = open()
    submit(store, newJob(1))
    const first = claim(store, jobIdOf(1))
    store.releaseUnitIfHeld(first.fence, facts({ now: start }))
    const second = claim(store, jobIdOf(1))
    expect(store.completeUnitIfHeld(first.fence, 'stale', facts())).toBeNull()
    expect(store.completeUnitIfHeld(second.fence, 'fresh', facts())?.settled).toBe(true)
    expect(store.readUnitPayload(first.fence.unitId)?.output).toBe('fresh')
  })

  test('a cancel that came too late leaves the job completed', () => {
    const { store } = open()
    submit(store, newJob(1))
    const { fence } = claim(store, jobIdOf(1))
    store.requestCancel(jobIdOf(1), 'user', start)
    expect(store.completeUnitIfHeld(fence, null, facts())).toMatchObject({ settled: true, job: { state: 'completed' } })
  })
})
