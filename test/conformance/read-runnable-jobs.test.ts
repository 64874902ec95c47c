import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import { brokenRecord, claim, facts, jobIdOf, newJob, start, submit, unitIdOf } from './support/jobs.ts'

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

  test('lists every lane of a job with limit keys', () => {
    const { store } = open()
    const units = ['b', null, 'a', 'b', ''].map((limitKey, position) => ({
      id: unitIdOf(1, position),
      input: position,
      limitKey,
    }))
    const keyLimits = { concurrency: 1, rate: null }
    submit(store, newJob(1, { units, keyLimits }))
    const lanes = () => store.readRunnableJobs(0, 1).map((lane) => lane.limitKey)
    expect(lanes()).toEqual([null, '', 'a', 'b'])
    expect(store.readRunnableJobs(0, 1)[2]).toEqual({
      jobId: jobIdOf(1),
      seq: 1,
      queue: 'default',
      type: 'command',
      priority: 2,
      submittedBy: 'test 1.0',
      forGpu: false,
      limitKey: 'a',
      keyLimits,
      nextDueAt: start,
    })
    claim(store, jobIdOf(1), { limitKey: 'a' })
    claim(store, jobIdOf(1), { limitKey: null })
    expect(lanes()).toEqual(['', 'b'])
  })

  test('leaves out what only another change can make claimable', () => {
    const { store } = open()
    for (const number of [1, 2, 3, 4, 5]) submit(store, newJob(number, { queue: number === 4 ? 'night' : 'default' }))
    store.pauseJob(jobIdOf(2), false, start)
    submit(store, newJob(6, { dependencies: [{ jobId: jobIdOf(1), alias: 'one', condition: 'completed' }] }))
    store.updateQueue('night', { paused: true }, start)
    expect(store.readRunnableJobs(0, 3).map((lane) => lane.jobId)).toEqual([jobIdOf(1), jobIdOf(3), jobIdOf(5)])
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
