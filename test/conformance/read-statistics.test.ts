import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import { claim, facts, jobIdOf, newJob, start, submit } from './support/jobs.ts'

const day = 24 * 3600 * 1000

describe.each(implementations)('$name: readStatistics', ({ open }) => {
  test('counts all jobs by state and those of the last day', () => {
    const { store, deleteJob } = open()
    for (let number = 1; number <= 6; number += 1) submit(store, newJob(number, { now: start + number }))
    store.completeUnitIfHeld(claim(store, jobIdOf(1)).fence, null, facts({ now: start + 10 }))
    store.failUnitIfHeld(claim(store, jobIdOf(2)).fence, 'failed', null, null, facts({ now: start + 20 }))
    store.requestCancel(jobIdOf(3), 'user', start + 30)
    claim(store, jobIdOf(4))
    deleteJob(jobIdOf(6))
    expect(store.readStatistics(start + 40)).toEqual({
      jobs: { queued: 1, running: 1, completed: 1, failed: 1, cancelled: 1 },
      last24Hours: { submitted: 5, completed: 1, failed: 1, cancelled: 1 },
    })
    expect(store.readStatistics(start + day + 20).last24Hours).toEqual({
      submitted: 0,
      completed: 0,
      failed: 0,
      cancelled: 1,
    })
    expect(store.readStatistics(start + day + 3).last24Hours.submitted).toBe(2)
  })
})
