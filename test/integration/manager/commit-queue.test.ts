import { tmpdir } from 'node:os'
import { describe, expect, test } from 'vitest'
import { QueueError } from '../../../src/domain/errors.ts'
import { openJobStore } from '../../../src/persistence/open-job-store.ts'
import { newJob } from '../../support/new-job.ts'
import { openQueue } from './queue-under-test.ts'

describe('CommitQueue', () => {
  test('operations of one turn share one transaction', async () => {
    const { store, commits, clock, transactions } = openQueue()
    await Promise.all(
      Array.from({ length: 50 }, (_, number) =>
        commits.run(() => store.submitJob(newJob(clock.now(), `job ${number}`))),
      ),
    )
    expect(transactions()).toBe(1)
    expect(store.listJobs({}, { limit: 100 })).toHaveLength(50)
  })

  test('an operation that throws is undone alone, its effects with it', async () => {
    const { store, commits, clock } = openQueue()
    const effects: string[] = []
    const good = commits.run((commit) => {
      commit.afterCommit(() => effects.push('good committed'))
      return store.submitJob(newJob(clock.now(), 'good'))
    })
    const bad = commits.run((commit) => {
      commit.afterCommit(() => effects.push('bad committed'))
      commit.afterFailure(() => effects.push('bad failed'))
      store.submitJob(newJob(clock.now(), 'bad'))
      throw new QueueError('invalid_input', 'no')
    })
    await expect(bad).rejects.toThrow('no')
    expect(await good).toMatchObject({ kind: 'created' })
    expect(effects).toEqual(['bad failed', 'good committed'])
    expect(store.listJobs({}, { limit: 10 }).map((job) => job.name)).toEqual(['good'])
  })

  test('answers and effects come after the commit, effects first', async () => {
    const { store, commits, clock } = openQueue()
    const order: string[] = []
    await commits
      .run((commit) => {
        store.submitJob(newJob(clock.now(), 'one'))
        commit.afterCommit(() => order.push(store.isTransactionOpen() ? 'inside' : 'after'))
      })
      .then(() => order.push('answer'))
    expect(order).toEqual(['after', 'answer'])
  })

  test('a hook shares the transaction of the operations', async () => {
    const { store, commits, clock, transactions } = openQueue()
    commits.addClosingHook(() => {
      if (store.listJobs({}, { limit: 10 }).length === 1) store.submitJob(newJob(clock.now(), 'by the hook'))
    })
    await commits.run(() => store.submitJob(newJob(clock.now(), 'first')))
    expect(transactions()).toBe(1)
    expect(store.listJobs({}, { limit: 10 })).toHaveLength(2)
  })

  test('when the commit fails nobody is told of success, and every operation is undone', async () => {
    const { store, commits, clock } = openQueue({
      faultPoint: (name) => {
        if (name === 'commit.before') throw new Error('disk gone')
      },
    })
    const effects: string[] = []
    const calls = ['a', 'b'].map((key) =>
      commits.run((commit) => {
        commit.afterCommit(() => effects.push(`${key} committed`))
        commit.afterFailure(() => effects.push(`${key} failed`))
        return store.submitJob(newJob(clock.now(), key))
      }),
    )
    const results = await Promise.allSettled(calls)
    expect(results.map((result) => result.status)).toEqual(['rejected', 'rejected'])
    expect(effects).toEqual(['a failed', 'b failed'])
    expect(store.listJobs({}, { limit: 10 })).toEqual([])
  })

  test('an older epoch can write nothing any more', async () => {
    const lost: unknown[] = []
    const { store, commits, clock, databaseFile } = openQueue({ onEpochLost: (error) => lost.push(error) })
    const rival = openJobStore({ databaseFile, backupsDirectory: tmpdir(), appVersion: '0.0.0', clock })
    rival.raiseEpoch('rival', clock.now())
    void commits.run(() => store.submitJob(newJob(clock.now(), 'late')))
    await expect.poll(() => lost.length).toBe(1)
    expect(rival.listJobs({}, { limit: 10 })).toEqual([])
    rival.close()
  })

  test('waits while it is paused', async () => {
    const { store, commits, clock } = openQueue()
    commits.pause()
    const call = commits.run(() => store.submitJob(newJob(clock.now(), 'patient')))
    await new Promise((resolve) => setImmediate(resolve))
    expect(store.listJobs({}, { limit: 10 })).toEqual([])
    commits.resume()
    await call
    expect(store.listJobs({}, { limit: 10 })).toHaveLength(1)
  })
})
