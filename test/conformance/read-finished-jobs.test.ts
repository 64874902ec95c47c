import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import { claim, facts, jobIdOf, newJob, start, submit } from './support/jobs.ts'

describe.each(implementations)('$name: readFinishedJobs', ({ open }) => {
  test('lists jobs in the order in which they became final, each with its event', () => {
    const { store } = open()
    for (const number of [1, 2, 3]) submit(store, newJob(number))
    const { fence } = claim(store, jobIdOf(3))
    store.completeUnitIfHeld(fence, null, facts())
    const middle = store.lastEventId()
    store.requestCancel(jobIdOf(1), 'user', start)
    const all = store.readFinishedJobs(0, 10)
    expect(all.map(({ job }) => [job.id, job.state])).toEqual([
      [jobIdOf(3), 'completed'],
      [jobIdOf(1), 'cancelled'],
    ])
    expect(all[0]?.eventId).toBe(middle)
    const events = store.readEvents(0, 100)
    expect(events.find((event) => event.id === all[1]?.eventId)?.type).toBe('job.cancelled')
    expect(store.readFinishedJobs(middle, 10).map(({ job }) => job.id)).toEqual([jobIdOf(1)])
    expect(store.readFinishedJobs(middle - 1, 1).map(({ job }) => job.id)).toEqual([jobIdOf(3)])
    expect(store.readFinishedJobs(store.lastEventId(), 10)).toEqual([])
  })

  test('does not depend on the event being kept', () => {
    const { store } = open()
    submit(store, newJob(1))
    store.requestCancel(jobIdOf(1), 'user', start)
    store.pruneEvents(0, 100)
    expect(store.readFinishedJobs(0, 10).map(({ job }) => job.id)).toEqual([jobIdOf(1)])
  })
})
