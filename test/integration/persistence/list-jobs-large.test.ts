import { expect, test } from 'vitest'
import type { Job } from '../../../src/domain/job.ts'
import type { JobFilter } from '../../../src/domain/ports/job-store.ts'
import { openSqlite } from '../../conformance/support/implementations.ts'
import { jobIdOf, newJob, start, submit } from '../../conformance/support/jobs.ts'

/** More than an index may hold of a value and still be walked as a whole. */
const jobs = 11_000
const minute = 60_000

/** Common and rare values, and a clock that was set back by an hour in the middle. */
function fill() {
  const { store } = openSqlite()
  store.atomically(() => {
    for (let number = 1; number <= jobs; number += 1) {
      const now = start + number * minute - (number > jobs / 2 ? 60 * minute : 0)
      const labels = { parity: number % 2 === 0 ? 'even' : 'odd', ...(number % 1_000 === 1 ? { rare: 'yes' } : {}) }
      const type = number % 2 === 0 ? 'command' : 'crawl'
      submit(store, newJob(number, { now, labels, type, queue: number % 3 === 0 ? 'night' : 'default' }))
      if (number % 20 === 0) store.requestCancel(jobIdOf(number), 'user', now)
    }
  })
  return store
}

function matches(job: Job, filter: JobFilter): boolean {
  return (
    (filter.states?.includes(job.state) ?? true) &&
    (filter.type ?? job.type) === job.type &&
    (filter.queue ?? job.queue) === job.queue &&
    Object.entries(filter.labels ?? {}).every(([key, value]) => job.labels[key] === value) &&
    job.createdAt > (filter.createdAfter ?? 0) &&
    job.createdAt < (filter.createdBefore ?? Number.POSITIVE_INFINITY)
  )
}

test('whichever index is walked, a page holds the newest jobs that match, also where the clock was set back', () => {
  const store = fill()
  const all = store.listJobs({}, { limit: jobs })
  expect(all).toHaveLength(jobs)
  const middle = start + (jobs / 2) * minute
  const times = [
    {},
    { createdAfter: middle },
    { createdBefore: middle },
    { createdBefore: middle - 30 * minute },
    { createdAfter: middle - 70 * minute, createdBefore: middle + 10 * minute },
    { createdAfter: start + 500 * minute, createdBefore: start + 9_000 * minute },
    { createdBefore: start },
  ]
  const others: JobFilter[] = [
    {},
    { type: 'crawl' },
    { type: 'crawl', states: ['cancelled'] },
    { queue: 'night', states: ['cancelled', 'queued'] },
    { labels: { parity: 'even' } },
    { labels: { parity: 'odd', rare: 'yes' } },
    { labels: { rare: 'yes' }, type: 'command' },
    { type: 'command', queue: 'night', states: ['cancelled'] },
  ]
  for (const filter of others.flatMap((other) => times.map((time) => ({ ...other, ...time })))) {
    for (const beforeSeq of [jobs + 1, jobs / 2 + 30, 2_000]) {
      const expected = all.filter((job) => job.seq < beforeSeq && matches(job, filter)).slice(0, 7)
      const found = store.listJobs(filter, { limit: 7, beforeSeq })
      expect(
        found.map((job) => job.seq),
        JSON.stringify({ filter, beforeSeq }),
      ).toEqual(expected.map((job) => job.seq))
    }
  }
})
