import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import { brokenRecord, claim, facts, jobIdOf, newJob, start, submit } from './support/jobs.ts'

const hour = 3_600_000

describe.each(implementations)(
  '$name: readOldestFinalJobs, oldestAcknowledged, readStateCounts, readHeldJobs, recordPruning, readPruning',
  ({ open }) => {
    test('final jobs come by the time they ended, with the event that ended them', () => {
      const { store } = open()
      for (let number = 1; number <= 4; number += 1) submit(store, newJob(number))
      store.completeUnitIfHeld(claim(store, jobIdOf(3)).fence, null, facts({ now: start + 30 }))
      store.failUnitIfHeld(claim(store, jobIdOf(1)).fence, 'failed', null, null, facts({ now: start + 40 }))
      store.requestCancel(jobIdOf(2), 'user', start + 50)
      const records = store.readOldestFinalJobs(10)
      expect(records.map(({ job }) => [job.id, job.state])).toEqual([
        [jobIdOf(3), 'completed'],
        [jobIdOf(1), 'failed'],
        [jobIdOf(2), 'cancelled'],
      ])
      const ends = store.readFinishedJobs(0, 10).map(({ job, eventId }) => [job.id, eventId])
      expect(records.map(({ job, settledEvent }) => [job.id, settledEvent])).toEqual(ends)
      expect(store.readOldestFinalJobs(1)).toHaveLength(1)
      expect(store.readStateCounts()).toEqual({ queued: 1, running: 0, completed: 1, failed: 1, cancelled: 1 })
    })

    test('what everybody has acknowledged is what the last of them has; nobody is nobody', () => {
      const { store } = open()
      expect(store.oldestAcknowledged()).toBeNull()
      store.acknowledge('ann', 9)
      expect(store.oldestAcknowledged()).toBe(9)
      store.recordShown('bob', 4)
      expect(store.oldestAcknowledged()).toBe(0)
      store.acknowledge('bob', 4)
      expect(store.oldestAcknowledged()).toBe(4)
    })

    test('shows unfinished jobs that a person must decide about, oldest first', () => {
      const { store, setFlag } = open()
      for (let number = 1; number <= 4; number += 1) submit(store, newJob(number))
      setFlag(jobIdOf(1), 'heldAt', start)
      setFlag(jobIdOf(3), 'heldAt', start)
      setFlag(jobIdOf(4), 'heldAt', start)
      store.requestCancel(jobIdOf(4), 'user', start)
      expect(store.readHeldJobs(10).map((job) => job.id)).toEqual([jobIdOf(1), jobIdOf(3)])
      expect(store.readHeldJobs(1).map((job) => job.id)).toEqual([jobIdOf(1)])
    })

    test('what was pruned is told newest first; the same rule within an hour is one record', () => {
      const { store } = open()
      store.recordPruning({ at: start, jobs: 3, bytes: 100, rule: 'age' })
      store.recordPruning({ at: start + 10, jobs: 2, bytes: 50, rule: 'age' })
      store.recordPruning({ at: start + 20, jobs: 1, bytes: 5, rule: 'count' })
      store.recordPruning({ at: start + 20 + hour, jobs: 1, bytes: 7, rule: 'count' })
      expect(store.readPruning(10)).toEqual([
        { at: start + 20 + hour, jobs: 1, bytes: 7, rule: 'count' },
        { at: start + 20, jobs: 1, bytes: 5, rule: 'count' },
        { at: start + 10, jobs: 5, bytes: 150, rule: 'age' },
      ])
      expect(store.readPruning(1)).toHaveLength(1)
    })
  },
)

describe.each(implementations)('$name: readDurations, pruneDurations', ({ open }) => {
  function run(store: ReturnType<typeof open>['store'], number: number, elapsedMs: number, now = start): void {
    submit(store, newJob(number, { workHash: 'render' }))
    store.completeUnitIfHeld(claim(store, jobIdOf(number)).fence, null, facts({ elapsedMs, now }))
  }

  test('remembers the newest 20 of the same work, newest last', () => {
    const { store } = open()
    expect(store.readDurations('render')).toEqual([])
    for (let number = 1; number <= 23; number += 1) run(store, number, number * 100)
    expect(store.readDurations('render')).toEqual(Array.from({ length: 20 }, (_, index) => (index + 4) * 100))
    expect(store.readDurations('other')).toEqual([])
  })

  test('only of completed jobs with one unit that can be compared, and only of the attempt that completed', () => {
    const { store } = open()
    submit(store, newJob(1, { workHash: 'render', maxAttempts: 2 }))
    submit(store, newJob(2, { workHash: 'render' }, 2))
    submit(store, newJob(3, { workHash: null }))
    submit(store, newJob(4, { workHash: 'render' }))
    const broken = facts({ error: brokenRecord, elapsedMs: 9_000 })
    store.failUnitIfHeld(claim(store, jobIdOf(1)).fence, 'failed', start, null, broken)
    store.completeUnitIfHeld(claim(store, jobIdOf(1)).fence, null, facts({ elapsedMs: 1 }))
    for (const number of [2, 2, 3]) store.completeUnitIfHeld(claim(store, jobIdOf(number)).fence, null, facts())
    store.failUnitIfHeld(claim(store, jobIdOf(4)).fence, 'failed', null, null, broken)
    expect(store.readDurations('render')).toEqual([1])
  })

  test('outlive their jobs, until they are forgotten by age', () => {
    const { store } = open()
    run(store, 1, 100)
    store.deleteJobSlice(jobIdOf(1), 10)
    submit(store, newJob(2, { workHash: 'backup' }))
    store.completeUnitIfHeld(claim(store, jobIdOf(2)).fence, null, facts({ elapsedMs: 7, now: start + hour }))
    expect(store.pruneDurations(start + hour, '', 1)).toBe('backup')
    expect(store.pruneDurations(start + hour, 'backup', 1)).toBe('render')
    expect(store.pruneDurations(start + hour, 'render', 1)).toBeNull()
    expect(store.readDurations('backup')).toEqual([7])
    expect(store.readDurations('render')).toEqual([])
  })
})
