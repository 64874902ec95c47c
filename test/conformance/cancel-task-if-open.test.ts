import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import { jobIdOf, newJob, start, submit } from './support/jobs.ts'
import { nameOf, newTask } from './support/tasks.ts'

describe.each(implementations)('$name: cancelTaskIfOpen', ({ open }) => {
  test('ends the wait once, and no job', () => {
    const { store } = open()
    submit(store, newJob(1))
    store.createTask(newTask(1, { tool: 'submit_job' }))
    expect(store.cancelTaskIfOpen(nameOf(1), start + 7)).toBe(true)
    expect(store.cancelTaskIfOpen(nameOf(1), start + 8)).toBe(false)
    expect(store.readTask(nameOf(1))).toMatchObject({ cancelledAt: start + 7, settledAt: null, outcome: null })
    expect(store.readJob(jobIdOf(1))).toMatchObject({ state: 'queued', cancelRequestedAt: null })
  })

  test('not for another principal', () => {
    const { store } = open()
    submit(store, newJob(1))
    store.createTask(newTask(1))
    expect(store.cancelTaskIfOpen(nameOf(1, 'mallory'), start)).toBe(false)
    expect(store.readTask(nameOf(1))?.cancelledAt).toBeNull()
  })
})
