import { describe, expect, test } from 'vitest'
import { EpochLostError } from '../../src/domain/ports/epoch-lost-error.ts'
import { implementations } from './support/implementations.ts'
import { jobIdOf, newJob, start, submit } from './support/jobs.ts'

describe.each(implementations)('$name: atomically', ({ open }) => {
  test('keeps everything when the work returns, and returns its value', () => {
    const { store } = open()
    const value = store.atomically(() => {
      submit(store, newJob(1))
      submit(store, newJob(2))
      return 'done'
    })
    expect(value).toBe('done')
    expect(store.readJobs([jobIdOf(1), jobIdOf(2)])).toHaveLength(2)
  })

  test('keeps nothing when the work throws, and throws the same error', () => {
    const { store } = open()
    const error = new Error('stop')
    const events = store.lastEventId()
    expect(() =>
      store.atomically(() => {
        submit(store, newJob(1))
        throw error
      }),
    ).toThrow(error)
    expect(store.readJob(jobIdOf(1))).toBeNull()
    expect(store.lastEventId()).toBe(events)
    expect(store.isTransactionOpen()).toBe(false)
  })

  test('rolls a nested call back alone when it throws', () => {
    const { store } = open()
    store.atomically(() => {
      store.atomically(() => submit(store, newJob(1)))
      expect(() =>
        store.atomically(() => {
          submit(store, newJob(2, { name: 'undone' }))
          throw new Error('only this one')
        }),
      ).toThrow('only this one')
      expect(store.isTransactionOpen()).toBe(true)
      store.atomically(() => submit(store, newJob(3)))
    })
    expect(store.listJobs({}, { limit: 10 }).map((job) => job.id)).toEqual([jobIdOf(3), jobIdOf(1)])
    expect(store.listJobs({ text: 'undone' }, { limit: 10 })).toEqual([])
    expect(store.listJobs({ text: 'job' }, { limit: 10 })).toHaveLength(2)
  })

  test('lets the operations of a group see each other, text search included', () => {
    const { store } = open()
    store.atomically(() => {
      submit(store, newJob(1, { name: 'kiln' }))
      expect(store.readJob(jobIdOf(1))?.name).toBe('kiln')
      expect(store.listJobs({ text: 'kiln' }, { limit: 10 })).toHaveLength(1)
    })
  })

  test('refuses to write before the epoch was raised', () => {
    const { openAnother } = open()
    const other = openAnother()
    expect(() => other.atomically(() => {})).toThrow(EpochLostError)
    expect(() => other.submitJob(newJob(1))).toThrow(EpochLostError)
    expect(other.readJob(jobIdOf(1))).toBeNull()
  })

  test('refuses to write once another store has raised the epoch', () => {
    const { store, openAnother } = open()
    submit(store, newJob(1))
    const other = openAnother()
    other.raiseEpoch('other', start)
    expect(() => store.submitJob(newJob(2))).toThrow(EpochLostError)
    submit(other, newJob(3))
    expect(store.listJobs({}, { limit: 10 }).map((job) => job.id)).toEqual([jobIdOf(3), jobIdOf(1)])
  })
})
