import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Priority } from '../../../src/domain/states.ts'
import { ReadyIndex, type ReadyJob } from '../../../src/manager/runtime/ready-index.ts'

const job = (seq: number, priority: Priority = 2, dueAt = 0): ReadyJob => ({
  jobId: `job-${seq}`,
  seq,
  priority,
  dueAt,
})

function drain(index: ReadyIndex, now: number): number[] {
  const order: number[] = []
  for (let next = index.peek(now); next !== undefined; next = index.peek(now)) {
    order.push(next.seq)
    index.remove(next.jobId)
  }
  return order
}

describe('ReadyIndex', () => {
  test('runs by priority, then by age', () => {
    const index = new ReadyIndex()
    for (const entry of [job(5, 2), job(2, 4), job(9, 1), job(1, 2), job(3, 1)]) index.offer(entry, 0)
    expect(drain(index, 0)).toEqual([3, 9, 1, 5, 2])
  })

  test('keeps what is not due, and tells when it will be', () => {
    const index = new ReadyIndex()
    index.offer(job(1, 2, 500), 0)
    index.offer(job(2, 2, 300), 0)
    expect(index.peek(299)).toBeUndefined()
    expect(index.nextDueAt()).toBe(300)
    expect(index.peek(300)?.seq).toBe(2)
    expect(drain(index, 600)).toEqual([1, 2])
    expect(index.nextDueAt()).toBeNull()
  })

  test('an earlier offer of a job replaces a later one, and never the other way round', () => {
    const index = new ReadyIndex()
    index.offer(job(1, 2, 500), 0)
    index.offer(job(1, 2, 100), 0)
    index.offer(job(1, 2, 900), 0)
    expect(drain(index, 100)).toEqual([1])
    expect(index.size).toBe(0)
    expect(index.nextDueAt()).toBeNull()
  })

  test('any history gives each job once, in order', () => {
    const entry = fc.record({
      seq: fc.integer({ min: 1, max: 40 }),
      priority: fc.constantFrom<Priority>(1, 2, 3, 4),
      dueAt: fc.nat(50),
    })
    fc.assert(
      fc.property(fc.uniqueArray(entry, { selector: (one) => one.seq, maxLength: 40 }), fc.nat(60), (entries, now) => {
        const index = new ReadyIndex()
        for (const one of entries) index.offer(job(one.seq, one.priority, one.dueAt), 0)
        const due = entries.filter((one) => one.dueAt <= now)
        due.sort((left, right) => left.priority - right.priority || left.seq - right.seq)
        expect(drain(index, now)).toEqual(due.map((one) => one.seq))
        const rest = entries.filter((one) => one.dueAt > now).map((one) => one.dueAt)
        expect(index.nextDueAt()).toBe(rest.length === 0 ? null : Math.min(...rest))
      }),
    )
  })
})
