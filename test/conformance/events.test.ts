import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import { claim, facts, jobIdOf, newJob, start, submit, unitIdOf } from './support/jobs.ts'

describe.each(implementations)(
  '$name: readEvents, latestEventIdOfJobs, lastEventId, firstEventId, pruneEvents',
  ({ open }) => {
    test('is empty at first', () => {
      const { store } = open()
      expect(store.readEvents(0, 10)).toEqual([])
      expect([store.lastEventId(), store.firstEventId(), store.latestEventIdOfJobs([jobIdOf(1)])]).toEqual([0, 0, 0])
      expect(store.pruneEvents(0, 10)).toBe(0)
    })

    test('tells every change once, in order, with growing ids', () => {
      const { store } = open()
      submit(store, newJob(1))
      const { fence } = claim(store, jobIdOf(1), { now: start + 1 })
      store.completeUnitIfHeld(fence, null, facts({ now: start + 2 }))
      const events = store.readEvents(0, 100)
      expect(events.map(({ type, jobId, unitId, createdAt }) => [type, jobId, unitId, createdAt])).toEqual([
        ['job.submitted', jobIdOf(1), null, start],
        ['job.started', jobIdOf(1), null, start + 1],
        ['unit.started', jobIdOf(1), unitIdOf(1, 0), start + 1],
        ['unit.completed', jobIdOf(1), unitIdOf(1, 0), start + 2],
        ['job.completed', jobIdOf(1), null, start + 2],
      ])
      expect(events.map((event) => event.id)).toEqual([1, 2, 3, 4, 5])
      expect(events[2]?.data).toEqual({ position: 0, attempt: 1, mode: 'local' })
      expect(store.readEvents(3, 1)).toEqual([events[3]])
    })

    test('knows the newest event of some jobs', () => {
      const { store } = open()
      for (const number of [1, 2, 3]) submit(store, newJob(number))
      claim(store, jobIdOf(1))
      expect(store.latestEventIdOfJobs([jobIdOf(2)])).toBe(2)
      expect(store.latestEventIdOfJobs([jobIdOf(2), jobIdOf(1)])).toBe(5)
      expect(store.latestEventIdOfJobs([jobIdOf(3), jobIdOf(9)])).toBe(3)
      expect(store.latestEventIdOfJobs([])).toBe(0)
    })

    test('keeps the newest, in slices, and never gives an id twice', () => {
      const { store } = open()
      for (let number = 1; number <= 10; number += 1) submit(store, newJob(number))
      expect(store.pruneEvents(6, 3)).toBe(3)
      expect(store.firstEventId()).toBe(4)
      expect(store.pruneEvents(6, 3)).toBe(1)
      expect(store.pruneEvents(6, 3)).toBe(0)
      expect(store.readEvents(0, 100).map((event) => event.id)).toEqual([5, 6, 7, 8, 9, 10])
      expect(store.pruneEvents(0, 100)).toBe(6)
      expect([store.lastEventId(), store.firstEventId()]).toEqual([10, 0])
      submit(store, newJob(11))
      expect(store.readEvents(0, 100).map((event) => event.id)).toEqual([11])
    })
  },
)
