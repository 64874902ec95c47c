import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import { brokenRecord, claim, facts, jobIdOf, newJob, otherWorker, start, submit, worker } from './support/jobs.ts'

describe.each(implementations)('$name: findHeldUnits', ({ open }) => {
  test('lists running units in order of creation, whoever was claimed first', () => {
    const { store } = open()
    store.registerWorker(otherWorker, start, start + 90_000)
    for (const number of [1, 2, 3]) submit(store, newJob(number))
    claim(store, jobIdOf(3), { workerId: otherWorker.id, now: start + 1 })
    claim(store, jobIdOf(1), { now: start + 2 })
    claim(store, jobIdOf(2), { now: start + 3 })
    const jobs = (filter: Parameters<typeof store.findHeldUnits>[0]) =>
      store.findHeldUnits(filter).map((held) => held.job.id)
    expect(jobs({ limit: 10 })).toEqual([jobIdOf(1), jobIdOf(2), jobIdOf(3)])
    expect(jobs({ limit: 2 })).toEqual([jobIdOf(1), jobIdOf(2)])
    expect(jobs({ workerId: otherWorker.id, limit: 10 })).toEqual([jobIdOf(3)])
    expect(jobs({ leaseExpiredBefore: start + 30_000, limit: 10 })).toEqual([])
    expect(jobs({ leaseExpiredBefore: start + 30_001, limit: 10 })).toEqual([jobIdOf(1), jobIdOf(2)])
    expect(jobs({ workerId: otherWorker.id, leaseExpiredBefore: start + 30_001, limit: 10 })).toEqual([])
  })

  test('tells all that adoption needs', () => {
    const { store } = open()
    submit(store, newJob(1, { maxAttempts: 3 }))
    store.failUnitIfHeld(
      claim(store, jobIdOf(1)).fence,
      'failed',
      start,
      null,
      facts({ error: brokenRecord, now: start }),
    )
    const { fence, job } = claim(store, jobIdOf(1), { now: start + 4 })
    store.recordRunnerIfHeld(fence, { pid: 12, startTime: '99', bootId: 'b' })
    store.recordProgressIfHeld(fence, null, 700, start)
    expect(store.findHeldUnits({ workerId: worker.id, limit: 10 })).toEqual([
      {
        fence,
        job,
        executor: 'command',
        limitKey: null,
        runner: { pid: 12, startTime: '99', bootId: 'b' },
        remote: null,
        startedAt: start + 4,
        failures: 1,
        elapsedMs: 700,
      },
    ])
  })
})
