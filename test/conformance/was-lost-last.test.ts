import { describe, expect, test } from 'vitest'
import type { Fence } from '../../src/domain/job.ts'
import type { JobStore } from '../../src/domain/ports/job-store.ts'
import { implementations } from './support/implementations.ts'
import { brokenRecord, claim, facts, jobIdOf, newJob, start, submit, unitIdOf } from './support/jobs.ts'

const unitId = unitIdOf(1, 0)
const ended = facts({ error: brokenRecord, now: start })

const ends: Readonly<Record<string, (store: JobStore, fence: Fence) => unknown>> = {
  lose: (store, fence) => store.loseUnitIfHeld(fence, { mayRerun: true, countsAsCrash: false, retryAt: start }, ended),
  release: (store, fence) => store.releaseUnitIfHeld(fence, ended),
  defer: (store, fence) => store.deferUnitIfHeld(fence, start, null, ended),
  fail: (store, fence) => store.failUnitIfHeld(fence, 'failed', start, null, ended),
}

describe.each(implementations)('$name: wasLostLast', ({ open }) => {
  test.each([
    [[], false],
    [['lose'], true],
    [['lose', 'lose'], true],
    [['lose', 'fail'], false],
    [['fail', 'lose'], true],
    [['lose', 'defer'], false],
    // Given back before it could prove anything: the suspicion stays.
    [['lose', 'release'], true],
    [['lose', 'release', 'release'], true],
    [['release'], false],
  ] as const)('after %j: %s, whether it waits or runs again', (past, wanted) => {
    const { store } = open()
    submit(store, newJob(1, { maxAttempts: 9 }))
    for (const end of past) ends[end]?.(store, claim(store, jobIdOf(1)).fence)
    expect(store.wasLostLast([unitId]).has(unitId)).toBe(wanted)
    claim(store, jobIdOf(1))
    expect(store.wasLostLast([unitId]).has(unitId)).toBe(wanted)
  })

  test('tells units apart, and knows nothing of unknown ones', () => {
    const { store } = open()
    submit(store, newJob(1, {}, 3))
    const fences = [0, 1, 2].map(() => claim(store, jobIdOf(1)).fence)
    for (const fence of fences.slice(1)) ends['lose']?.(store, fence)
    const asked = [0, 1, 2].map((position) => unitIdOf(1, position))
    expect(store.wasLostLast([...asked, unitIdOf(9, 9)])).toEqual(new Set(asked.slice(1)))
    expect(store.wasLostLast(asked.slice(0, 2))).toEqual(new Set(asked.slice(1, 2)))
    expect(store.wasLostLast([])).toEqual(new Set())
  })
})
