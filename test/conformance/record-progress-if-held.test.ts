import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import { brokenRecord, claim, facts, jobIdOf, newJob, start, submit, wrongFences } from './support/jobs.ts'

const progress = { current: 2.5, total: 10, message: 'frame 2', stage: 'render' }

describe.each(implementations)('$name: recordProgressIfHeld', ({ open }) => {
  test('keeps the newest progress and the elapsed time', () => {
    const { store } = open()
    submit(store, newJob(1))
    const { fence } = claim(store, jobIdOf(1))
    expect(store.recordProgressIfHeld(fence, { ...progress, total: null }, 1_000, start)).toBe(true)
    expect(store.recordProgressIfHeld(fence, progress, 2_000, start)).toBe(true)
    expect(store.readUnits(jobIdOf(1), { limit: 1 })[0]?.progress).toEqual(progress)
    expect(store.findHeldUnits({ limit: 1 })[0]?.elapsedMs).toBe(2_000)
  })

  test('keeps the old progress when only the elapsed time is told', () => {
    const { store } = open()
    submit(store, newJob(1))
    const { fence } = claim(store, jobIdOf(1))
    store.recordProgressIfHeld(fence, progress, 1_000, start)
    store.recordProgressIfHeld(fence, null, 3_000, start)
    expect(store.readUnits(jobIdOf(1), { limit: 1 })[0]?.progress).toEqual(progress)
    expect(store.findHeldUnits({ limit: 1 })[0]?.elapsedMs).toBe(3_000)
  })

  test('shows the last progress after the end, and none of it in the next attempt', () => {
    const { store } = open()
    submit(store, newJob(1, { maxAttempts: 2 }))
    const { fence } = claim(store, jobIdOf(1))
    store.recordProgressIfHeld(fence, progress, 1_000, start)
    const end = store.failUnitIfHeld(fence, 'failed', start, null, facts({ error: brokenRecord }))
    expect(end?.unit.progress).toEqual(progress)
    expect(claim(store, jobIdOf(1)).unit.progress).toBeNull()
    expect(store.readUnits(jobIdOf(1), { limit: 1 })[0]?.progress).toBeNull()
  })

  test('changes nothing for a wrong fence, and writes no event', () => {
    const { store } = open()
    submit(store, newJob(1))
    const { fence } = claim(store, jobIdOf(1))
    const events = store.lastEventId()
    for (const [what, wrong] of wrongFences(fence)) {
      expect(store.recordProgressIfHeld(wrong, progress, 1, start), what).toBe(false)
    }
    expect(store.recordProgressIfHeld(fence, progress, 1, start)).toBe(true)
    expect(store.lastEventId()).toBe(events)
  })
})
