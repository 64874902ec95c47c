import { describe, expect, test } from 'vitest'
import type { NewDependency } from '../../src/domain/ports/job-store.ts'
import type { DependencyCondition } from '../../src/domain/states.ts'
import { implementations } from './support/implementations.ts'
import { brokenRecord, claim, claimSome, eventTypes, facts, jobIdOf, newJob, start, submit } from './support/jobs.ts'

function on(job: number, condition: DependencyCondition = 'completed', alias = `job${job}`): NewDependency {
  return { jobId: jobIdOf(job), alias, condition }
}

describe.each(implementations)('$name: dependencies', ({ open }) => {
  test('a job waits until all others have ended as wanted', () => {
    const { store } = open()
    submit(store, newJob(1))
    submit(store, newJob(2, { maxAttempts: 1 }))
    const job = submit(store, newJob(3, { dependencies: [on(1), on(2, 'ended')] }))
    expect(job).toMatchObject({ state: 'queued', openDependencies: 2 })
    expect(store.readDependencies(jobIdOf(3))).toEqual([
      { jobId: jobIdOf(1), alias: 'job1', condition: 'completed', state: null },
      { jobId: jobIdOf(2), alias: 'job2', condition: 'ended', state: null },
    ])
    store.completeUnitIfHeld(claim(store, jobIdOf(1)).fence, null, facts())
    expect(claimSome(store, jobIdOf(3), 1)).toEqual([])
    const before = store.lastEventId()
    store.failUnitIfHeld(claim(store, jobIdOf(2)).fence, 'failed', null, null, facts({ error: brokenRecord }))
    expect(store.readDependencies(jobIdOf(3)).map((each) => each.state)).toEqual(['completed', 'failed'])
    expect(store.readJob(jobIdOf(3))?.openDependencies).toBe(0)
    expect(eventTypes(store, before).slice(-1)).toEqual(['job.unblocked'])
    expect(claimSome(store, jobIdOf(3), 1)).toHaveLength(1)
  })

  test('refuses a job that waits for one that is not there, and keeps nothing of it', () => {
    const { store } = open()
    submit(store, newJob(1))
    const events = store.lastEventId()
    const refused = store.submitJob(newJob(2, { dependencies: [on(1), on(8), on(9), on(8, 'ended')] }))
    expect(refused).toEqual({ kind: 'dependency_not_found', jobIds: [jobIdOf(8), jobIdOf(9)] })
    expect(store.readJob(jobIdOf(2))).toBeNull()
    expect(store.lastEventId()).toBe(events)
    expect(submit(store, newJob(2)).openDependencies).toBe(0)
  })

  test('a repeat is answered although what it waited for is gone', () => {
    const { store, deleteJob } = open()
    submit(store, newJob(1))
    store.requestCancel(jobIdOf(1), 'user', start)
    submit(store, newJob(2, { dependencies: [on(1, 'ended')] }))
    deleteJob(jobIdOf(1))
    const repeat = store.submitJob(
      newJob(3, { dependencies: [on(1, 'ended')], idempotencyKey: 'key-2', contentHash: 'hash-2' }),
    )
    expect(repeat).toMatchObject({ kind: 'existing', job: { id: jobIdOf(2) } })
  })

  test('counts a job named twice once, with the stricter condition', () => {
    const { store } = open()
    submit(store, newJob(1))
    const job = submit(store, newJob(2, { dependencies: [on(1, 'ended', 'first'), on(1, 'completed', 'second')] }))
    expect(job.openDependencies).toBe(1)
    expect(store.readDependencies(jobIdOf(2))).toEqual([
      { jobId: jobIdOf(1), alias: 'first', condition: 'completed', state: null },
    ])
  })

  test('does not wait for what is over already', () => {
    const { store } = open()
    submit(store, newJob(1))
    store.completeUnitIfHeld(claim(store, jobIdOf(1)).fence, null, facts())
    const job = submit(store, newJob(2, { dependencies: [on(1)] }))
    expect(job).toMatchObject({ state: 'queued', openDependencies: 0 })
    expect(store.readDependencies(jobIdOf(2))).toMatchObject([{ state: 'completed' }])
  })

  test('cancels at once what waits for the success of a job that has none', () => {
    const { store } = open()
    submit(store, newJob(1))
    store.requestCancel(jobIdOf(1), 'user', start)
    const job = submit(store, newJob(2, { dependencies: [on(1)] }, 3))
    expect(job).toMatchObject({ state: 'cancelled', cancelReason: 'dependency', counts: { cancelled: 3 } })
    expect(store.readJob(jobIdOf(2))).toEqual(job)
  })

  test('a failure cancels the jobs behind it, however long the chain', () => {
    const { store } = open()
    const length = 300
    submit(store, newJob(1))
    for (let number = 2; number <= length; number += 1)
      submit(store, newJob(number, { dependencies: [on(number - 1)] }))
    submit(store, newJob(length + 1, { dependencies: [on(length, 'ended')] }))
    store.takeConsequences()
    const end = store.failUnitIfHeld(
      claim(store, jobIdOf(1)).fence,
      'failed',
      null,
      null,
      facts({ error: brokenRecord }),
    )
    expect(end?.job).toMatchObject({ state: 'failed' })
    expect(store.listJobs({ states: ['cancelled'] }, { limit: 1_000 })).toHaveLength(length - 1)
    expect(store.readJob(jobIdOf(length))).toMatchObject({
      state: 'cancelled',
      cancelReason: 'dependency',
      error: null,
    })
    expect(store.readJob(jobIdOf(length + 1))).toMatchObject({ state: 'queued', openDependencies: 0 })
    const { settled, runnable } = store.takeConsequences()
    expect(settled).toHaveLength(length)
    expect(runnable.map((lane) => lane.jobId)).toEqual([jobIdOf(length + 1)])
  })

  test('failures within the budget count as success', () => {
    const { store } = open()
    submit(store, newJob(1, { failureBudget: { units: 1, percent: null, stopEarly: false } }, 2))
    submit(store, newJob(2, { dependencies: [on(1)] }))
    const [first, second] = claimSome(store, jobIdOf(1), 2)
    if (first === undefined || second === undefined) throw new Error('not claimed')
    store.failUnitIfHeld(first.fence, 'failed', null, null, facts({ error: brokenRecord }))
    store.completeUnitIfHeld(second.fence, null, facts())
    expect(store.readJob(jobIdOf(2))).toMatchObject({ state: 'queued', openDependencies: 0 })
  })

  test('a job that was cancelled while it waited stays as it ended', () => {
    const { store } = open()
    submit(store, newJob(1))
    submit(store, newJob(2, { dependencies: [on(1)] }))
    store.requestCancel(jobIdOf(2), 'user', start)
    const ended = store.readJob(jobIdOf(2))
    store.requestCancel(jobIdOf(1), 'user', start + 1)
    expect(store.readJob(jobIdOf(2))).toEqual(ended)
    expect(store.readDependencies(jobIdOf(2))).toMatchObject([{ state: 'cancelled' }])
  })
})
