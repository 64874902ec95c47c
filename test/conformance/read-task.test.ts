import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import { claim, facts, jobIdOf, newJob, submit } from './support/jobs.ts'
import { nameOf, newTask } from './support/tasks.ts'

describe.each(implementations)('$name: readTask', ({ open }) => {
  test('finds nothing under another id, nor for another principal', () => {
    const { store } = open()
    submit(store, newJob(1))
    store.createTask(newTask(1, { principal: 'ada' }))
    expect(store.readTask(nameOf(1, 'ada'))).not.toBeNull()
    for (const name of [nameOf(1), nameOf(1, 'Ada'), nameOf(1, ''), nameOf(2, 'ada')]) {
      expect(store.readTask(name)).toBeNull()
    }
  })

  test('a deleted job leaves it, and the last one takes it along', () => {
    const { store, openAnother } = open()
    const ids = [jobIdOf(2), jobIdOf(1)]
    for (const number of [1, 2]) {
      submit(store, newJob(number))
      store.completeUnitIfHeld(claim(store, jobIdOf(number)).fence, null, facts())
    }
    store.createTask(newTask(1, { ids }))
    store.createTask(newTask(2))
    store.deleteJobSlice(jobIdOf(2), 10)
    expect(store.readTask(nameOf(1))).toMatchObject({ ids, jobIds: [jobIdOf(1)], deletedJobs: 1 })
    expect(store.readTask(nameOf(2))).toBeNull()
    store.deleteJobSlice(jobIdOf(1), 10)
    expect(store.readTask(nameOf(1))).toBeNull()
    expect(openAnother().readTask(nameOf(1))).toBeNull()
  })

  test('what deletion has only begun with is still there', () => {
    const { store } = open()
    submit(store, newJob(1, {}, 3))
    store.requestCancel(jobIdOf(1), 'user', 0)
    store.createTask(newTask(1))
    expect(store.deleteJobSlice(jobIdOf(1), 1)).toMatchObject({ done: false })
    expect(store.readTask(nameOf(1))?.jobIds).toEqual([jobIdOf(1)])
  })

  test('an id is free again once its task is gone', () => {
    const { store } = open()
    for (const number of [1, 2]) submit(store, newJob(number))
    store.createTask(newTask(1))
    store.completeUnitIfHeld(claim(store, jobIdOf(1)).fence, null, facts())
    store.deleteJobSlice(jobIdOf(1), 10)
    expect(store.createTask(newTask(1)).kind).toBe('no_job')
    expect(store.createTask(newTask(1, { ids: [jobIdOf(2)] })).kind).toBe('created')
  })
})
