import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import { claim, jobIdOf, newJob, otherWorker, start, submit, worker } from './support/jobs.ts'

describe.each(implementations)('$name: registerWorker, heartbeatWorker, stopWorker', ({ open }) => {
  test('a heartbeat extends the lease of everything the worker holds', () => {
    const { store } = open()
    submit(store, newJob(1))
    claim(store, jobIdOf(1))
    expect(store.findHeldUnits({ leaseExpiredBefore: start + 30_001, limit: 5 })).toHaveLength(1)
    expect(store.heartbeatWorker(worker.id, start + 20_000, start + 50_000)).toBe(true)
    expect(store.findHeldUnits({ leaseExpiredBefore: start + 30_001, limit: 5 })).toEqual([])
  })

  test('an unknown or a stopped worker is told so', () => {
    const { store } = open()
    expect(store.heartbeatWorker('worker-9', start, start + 1)).toBe(false)
    store.stopWorker(worker.id, start)
    expect(store.heartbeatWorker(worker.id, start, start + 1)).toBe(false)
    store.stopWorker('worker-9', start)
  })

  test('what a stopped worker holds can be recovered at once', () => {
    const { store } = open()
    submit(store, newJob(1))
    claim(store, jobIdOf(1))
    store.stopWorker(worker.id, start + 5)
    expect(store.findHeldUnits({ leaseExpiredBefore: start + 6, limit: 5 })).toHaveLength(1)
  })

  test('a worker may register again and lives on', () => {
    const { store } = open()
    store.stopWorker(worker.id, start)
    store.registerWorker(worker, start, start + 60_000)
    expect(store.heartbeatWorker(worker.id, start, start + 90_000)).toBe(true)
    store.registerWorker(otherWorker, start, start + 60_000)
    expect(store.heartbeatWorker(otherWorker.id, start, start + 90_000)).toBe(true)
  })
})
