import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import { claim, claimSome, eventTypes, facts, jobIdOf, newJob, start, submit } from './support/jobs.ts'

describe.each(implementations)('$name: updateJob', ({ open }) => {
  test('changes what was named and leaves the rest', () => {
    const { store } = open()
    const job = submit(store, newJob(1, { labels: { a: '1', b: '2' }, concurrency: 3, name: 'before' }))
    const changes = { name: 'after', priority: 1, runAt: start + 500, labels: { a: null, c: '3', b: '4' } } as const
    const updated = store.updateJob(jobIdOf(1), changes, start + 1)
    const wanted = { ...job, name: 'after', priority: 1, runAt: start + 500, labels: { b: '4', c: '3' } }
    expect(updated).toEqual({ kind: 'updated', job: wanted })
    expect(store.readJob(jobIdOf(1))).toEqual(wanted)
    expect(store.updateJob(jobIdOf(1), { concurrency: null }, start + 2)).toMatchObject({ job: { concurrency: null } })
    expect(eventTypes(store)).toEqual(['job.submitted', 'job.updated', 'job.updated'])
  })

  test('is found by its new name and labels, and no longer by the old', () => {
    const { store } = open()
    submit(store, newJob(1, { name: 'glaze', labels: { kiln: 'east' } }))
    store.updateJob(jobIdOf(1), { name: 'bisque', labels: { kiln: 'west' } }, start)
    const found = (text: string) => store.listJobs({ text }, { limit: 5 }).length
    expect([found('glaze'), found('east'), found('bisque'), found('west')]).toEqual([0, 0, 1, 1])
  })

  test('moves the start of units that have not run, both ways', () => {
    const { store } = open()
    submit(store, newJob(1, { runAt: start + 1_000 }))
    store.updateJob(jobIdOf(1), { runAt: start + 10 }, start)
    expect(claimSome(store, jobIdOf(1), 1, { now: start + 9 })).toEqual([])
    store.updateJob(jobIdOf(1), { runAt: start + 2_000 }, start)
    expect(claimSome(store, jobIdOf(1), 1, { now: start + 1_999 })).toEqual([])
    expect(claimSome(store, jobIdOf(1), 1, { now: start + 2_000 })).toHaveLength(1)
  })

  test('changes nothing that is final or not there', () => {
    const { store } = open()
    submit(store, newJob(1))
    store.requestCancel(jobIdOf(1), 'user', start)
    expect(store.updateJob(jobIdOf(1), { name: 'late' }, start)).toEqual({ kind: 'already_final' })
    expect(store.updateJob(jobIdOf(2), { name: 'late' }, start)).toEqual({ kind: 'not_found' })
  })

  test('closes a job that was kept open, which then ends', () => {
    const { store } = open()
    submit(store, newJob(1, { keepOpen: true }))
    const end = store.completeUnitIfHeld(claim(store, jobIdOf(1)).fence, null, facts())
    expect(end).toMatchObject({ settled: false, job: { state: 'running', sealedAt: null } })
    const closed = store.updateJob(jobIdOf(1), { close: true }, start + 9_000)
    expect(closed).toMatchObject({
      kind: 'updated',
      job: { state: 'completed', sealedAt: start + 9_000, keepOpen: false },
    })
    expect(store.takeConsequences().settled.map((job) => job.id)).toEqual([jobIdOf(1)])
  })

  test('a job without any unit ends when it is closed', () => {
    const { store } = open()
    submit(store, newJob(1, { units: [], keepOpen: true }))
    expect(store.updateJob(jobIdOf(1), { close: true }, start)).toMatchObject({ job: { state: 'completed' } })
  })
})

describe.each(implementations)('$name: updateJob with dependencies', ({ open }) => {
  const on = (job: number, condition: 'completed' | 'ended' = 'completed') => ({
    jobId: jobIdOf(job),
    alias: `job${job}`,
    condition,
  })

  test('adds jobs to wait for while nothing of it has started', () => {
    const { store } = open()
    for (const number of [1, 2]) submit(store, newJob(number))
    const updated = store.updateJob(jobIdOf(2), { dependencies: [on(1)] }, start)
    expect(updated).toMatchObject({ kind: 'updated', job: { openDependencies: 1 } })
    store.updateJob(jobIdOf(2), { dependencies: [on(1)] }, start)
    expect(store.readJob(jobIdOf(2))?.openDependencies).toBe(1)
    expect(claimSome(store, jobIdOf(2), 1)).toEqual([])
    store.completeUnitIfHeld(claim(store, jobIdOf(1)).fence, null, facts())
    expect(claimSome(store, jobIdOf(2), 1)).toHaveLength(1)
  })

  test('refuses it for a job that has started, and one that is not there', () => {
    const { store } = open()
    for (const number of [1, 2]) submit(store, newJob(number))
    store.releaseUnitIfHeld(claim(store, jobIdOf(2)).fence, facts())
    const dependencies = [on(1)]
    expect(store.updateJob(jobIdOf(2), { dependencies, name: 'no' }, start)).toEqual({ kind: 'already_started' })
    const missing = store.updateJob(jobIdOf(1), { dependencies: [on(9)], name: 'no' }, start)
    expect(missing).toEqual({ kind: 'dependency_not_found', jobIds: [jobIdOf(9)] })
    expect(store.listJobs({ text: 'no' }, { limit: 5 })).toEqual([])
  })

  test('refuses a way around, naming it', () => {
    const { store } = open()
    submit(store, newJob(1))
    submit(store, newJob(2, { dependencies: [on(1)] }))
    submit(store, newJob(3, { dependencies: [on(2, 'ended')] }))
    const cycle = (job: number, to: number) => store.updateJob(jobIdOf(job), { dependencies: [on(to)] }, start)
    expect(cycle(1, 1)).toEqual({ kind: 'cycle', jobIds: [jobIdOf(1), jobIdOf(1)] })
    expect(cycle(1, 3)).toEqual({ kind: 'cycle', jobIds: [1, 3, 2, 1].map(jobIdOf) })
    expect(store.readJob(jobIdOf(1))?.openDependencies).toBe(0)
    expect(store.readDependencies(jobIdOf(1))).toEqual([])
    expect(cycle(3, 1)).toMatchObject({ kind: 'updated', job: { openDependencies: 2 } })
  })

  test('cancels the job when what it shall wait for has failed already', () => {
    const { store } = open()
    for (const number of [1, 2]) submit(store, newJob(number))
    store.requestCancel(jobIdOf(1), 'user', start)
    const updated = store.updateJob(jobIdOf(2), { dependencies: [on(1)] }, start)
    expect(updated).toMatchObject({ kind: 'updated', job: { state: 'cancelled', cancelReason: 'dependency' } })
  })
})
