import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import { brokenRecord, claim, facts, jobIdOf, newJob, start, submit } from './support/jobs.ts'

describe.each(implementations)('$name: readRunnableJobs', ({ open }) => {
  test('lists every job with an available unit in order of seq, with its next due time', () => {
    const { store } = open()
    submit(store, newJob(1, { queue: 'night', priority: 4, runAt: start + 500 }))
    submit(store, newJob(2, { maxAttempts: 2 }))
    submit(store, newJob(3, {}, 2))
    submit(store, newJob(4))
    submit(store, newJob(5))
    const { fence } = claim(store, jobIdOf(2))
    store.failUnitIfHeld(fence, 'failed', start + 900, null, facts({ error: brokenRecord, now: start }))
    claim(store, jobIdOf(3))
    claim(store, jobIdOf(4))
    store.requestCancel(jobIdOf(5), 'user', start)
    const found = store.readRunnableJobs(0, 10)
    expect(
      found.map(({ jobId, queue, type, priority, nextDueAt }) => [jobId, queue, type, priority, nextDueAt]),
    ).toEqual([
      [jobIdOf(1), 'night', 'command', 4, start + 500],
      [jobIdOf(2), 'default', 'command', 2, start + 900],
      [jobIdOf(3), 'default', 'command', 2, start],
    ])
  })

  test('pages by seq', () => {
    const { store } = open()
    for (const number of [1, 2, 3, 4, 5]) submit(store, newJob(number))
    claim(store, jobIdOf(2))
    const first = store.readRunnableJobs(0, 2)
    expect(first.map((job) => job.jobId)).toEqual([jobIdOf(1), jobIdOf(3)])
    const second = store.readRunnableJobs(first.at(-1)?.seq ?? 0, 10)
    expect(second.map((job) => job.jobId)).toEqual([jobIdOf(4), jobIdOf(5)])
  })
})
