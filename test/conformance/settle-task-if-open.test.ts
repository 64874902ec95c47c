import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import { newJob, start, submit } from './support/jobs.ts'
import { nameOf, newTask } from './support/tasks.ts'

describe.each(implementations)('$name: settleTaskIfOpen', ({ open }) => {
  test('keeps the first outcome for good', () => {
    const { store } = open()
    submit(store, newJob(1))
    store.createTask(newTask(1))
    const first = { jobs: [{ name: 'ü', result: null }] }
    expect(store.settleTaskIfOpen(nameOf(1), first, start + 10)).toBe(true)
    expect(store.settleTaskIfOpen(nameOf(1), { jobs: [] }, start + 20)).toBe(false)
    expect(store.cancelTaskIfOpen(nameOf(1), start + 30)).toBe(false)
    expect(store.readTask(nameOf(1))).toMatchObject({ settledAt: start + 10, outcome: first, cancelledAt: null })
  })

  test('not one that was cancelled, that is unknown, or that is of somebody else', () => {
    const { store } = open()
    for (const number of [1, 2]) {
      submit(store, newJob(number))
      store.createTask(newTask(number))
    }
    store.cancelTaskIfOpen(nameOf(1), start)
    for (const name of [nameOf(1), nameOf(3), nameOf(2, 'mallory')]) {
      expect(store.settleTaskIfOpen(name, {}, start)).toBe(false)
    }
    expect(store.readTask(nameOf(1))?.outcome).toBeNull()
    expect(store.readTask(nameOf(2))?.outcome).toBeNull()
  })
})
