import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { implementations, openSqlite } from './support/implementations.ts'
import { jobIdOf, newJob, start, submit } from './support/jobs.ts'
import { nameOf, newTask, taskIdOf } from './support/tasks.ts'

describe.each(implementations)('$name: createTask', ({ open }) => {
  test('keeps every field, with the jobs in the order asked for', () => {
    const { store } = open()
    for (const number of [1, 2, 3]) submit(store, newJob(number))
    const ids = [jobIdOf(3), jobIdOf(9), jobIdOf(1)]
    const submitted = { id: jobIdOf(3), notes: ['ü'] }
    const task = {
      tool: 'submit_job',
      until: 'any_changed',
      since: 17,
      ids,
      submitted,
      jobIds: [jobIdOf(3), jobIdOf(1)],
      deletedJobs: 0,
      createdAt: start + 5,
      cancelledAt: null,
      settledAt: null,
      outcome: null,
    }
    const asked = newTask(1, { tool: 'submit_job', until: 'any_changed', since: 17, ids, submitted, now: start + 5 })
    expect(store.createTask(asked)).toEqual({ kind: 'created', task })
    expect(store.readTask(nameOf(1))).toEqual(task)
  })

  test('the same again is the same task, as it is by then', () => {
    const { store } = open()
    submit(store, newJob(1))
    store.createTask(newTask(1))
    store.cancelTaskIfOpen(nameOf(1), start + 3)
    expect(store.createTask(newTask(1, { since: 44, now: start + 9 }))).toMatchObject({
      kind: 'existing',
      task: { since: 0, createdAt: start, cancelledAt: start + 3 },
    })
  })

  test('an id that was used for something else, or by somebody else, tells nothing of it', () => {
    const { store } = open()
    submit(store, newJob(1))
    submit(store, newJob(2))
    store.createTask(newTask(1))
    const another = { ids: [jobIdOf(2)], contentHash: 'another' }
    expect(store.createTask(newTask(1, another))).toEqual({ kind: 'conflict' })
    expect(store.createTask(newTask(1, { principal: 'mallory' }))).toEqual({ kind: 'conflict' })
    expect(store.readTask(nameOf(1))?.jobIds).toEqual([jobIdOf(1)])
    expect(store.readTask(nameOf(1, 'mallory'))).toBeNull()
  })

  test('there is no task without a job', () => {
    const { store } = open()
    expect(store.createTask(newTask(1))).toEqual({ kind: 'no_job' })
    submit(store, newJob(1))
    expect(store.createTask(newTask(1)).kind).toBe('created')
  })

  test('it goes with its transaction', () => {
    const { store } = open()
    submit(store, newJob(1))
    const undone = () =>
      store.atomically(() => {
        store.createTask(newTask(1))
        throw new Error('undone')
      })
    expect(undone).toThrow('undone')
    expect(store.readTask(nameOf(1))).toBeNull()
  })
})

test('the id itself is nowhere in the files of the database', () => {
  const { store, databaseFile } = openSqlite()
  submit(store, newJob(1))
  store.createTask(newTask(1))
  store.settleTaskIfOpen(nameOf(1), { done: true }, start)
  const folder = dirname(databaseFile)
  const files = readdirSync(folder).filter((name) => name.startsWith('queue.db'))
  expect(files).toContain('queue.db-wal')
  for (const name of files) {
    const bytes = readFileSync(join(folder, name))
    expect(bytes.includes(taskIdOf(1)), name).toBe(false)
    expect(bytes.includes(Buffer.from(taskIdOf(1), 'hex')), name).toBe(false)
  }
})
