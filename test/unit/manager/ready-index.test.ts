import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Priority } from '../../../src/domain/states.ts'
import { ReadyIndex, type ReadyLane } from '../../../src/manager/runtime/ready-index.ts'

interface LaneOf {
  readonly priority?: Priority
  readonly dueAt?: number
  readonly client?: string
  readonly queue?: string
  readonly limitKey?: string | null
}

const lane = (
  seq: number,
  { priority = 2, dueAt = 0, client = 'ada', queue = 'default', limitKey = null }: LaneOf = {},
): ReadyLane => ({
  jobId: `job-${seq}`,
  seq,
  priority,
  dueAt,
  queue,
  type: 'command',
  submittedBy: client,
  forGpu: false,
  limitKey,
  keyLimits: null,
})

/** An index and what its clients have running. */
function openIndex() {
  const running = new Map<string, number>()
  return { running, index: new ReadyIndex({ runningOf: (client) => running.get(client) ?? 0 }) }
}

function drain(index: ReadyIndex, now: number): number[] {
  const order: number[] = []
  for (let next = index.peek(now); next !== undefined; next = index.peek(now)) {
    order.push(next.seq)
    index.remove(next)
  }
  return order
}

describe('ReadyIndex', () => {
  test('runs by priority, then by age', () => {
    const { index } = openIndex()
    const lanes = [lane(5), lane(2, { priority: 4 }), lane(9, { priority: 1 }), lane(1), lane(3, { priority: 1 })]
    for (const entry of lanes) index.offer(entry, 0)
    expect(drain(index, 0)).toEqual([3, 9, 1, 5, 2])
  })

  test('keeps what is not due, and tells when it will be', () => {
    const { index } = openIndex()
    index.offer(lane(1, { dueAt: 500 }), 0)
    index.offer(lane(2, { dueAt: 300 }), 0)
    expect(index.peek(299)).toBeUndefined()
    expect(index.nextDueAt()).toBe(300)
    expect(index.peek(300)?.seq).toBe(2)
    expect(drain(index, 600)).toEqual([1, 2])
    expect(index.nextDueAt()).toBeNull()
  })

  test('an earlier offer of a lane replaces a later one, and never the other way round', () => {
    const { index } = openIndex()
    for (const dueAt of [500, 100, 900]) index.offer(lane(1, { dueAt }), 0)
    expect(drain(index, 100)).toEqual([1])
    expect(index.size).toBe(0)
    expect(index.nextDueAt()).toBeNull()
  })

  test('another priority moves a lane', () => {
    const { index } = openIndex()
    index.offer(lane(1), 0)
    index.offer(lane(2), 0)
    index.offer(lane(2, { priority: 1 }), 0)
    expect(drain(index, 0)).toEqual([2, 1])
  })

  test('lanes of one job with different limit keys stand beside each other', () => {
    const { index } = openIndex()
    index.offer(lane(1, { limitKey: 'a' }), 0)
    index.offer(lane(1, { limitKey: 'b' }), 0)
    expect(index.size).toBe(2)
    expect(drain(index, 0)).toEqual([1, 1])
  })

  test('a client with fewer running units goes first, whoever came first', () => {
    const { index, running } = openIndex()
    for (let seq = 1; seq <= 50; seq += 1) index.offer(lane(seq, { client: 'greedy' }), 0)
    index.offer(lane(99, { client: 'late' }), 0)
    running.set('greedy', 1)
    expect(index.peek(0)?.seq).toBe(99)
    running.set('late', 2)
    expect(index.peek(0)?.seq).toBe(1)
  })

  test('clients with as many running units take turns', () => {
    const { index } = openIndex()
    for (let seq = 1; seq <= 4; seq += 1) index.offer(lane(seq, { client: 'ada' }), 0)
    for (let seq = 11; seq <= 14; seq += 1) index.offer(lane(seq, { client: 'ben' }), 0)
    expect(drain(index, 0)).toEqual([1, 11, 2, 12, 3, 13, 4, 14])
  })

  test('a closed queue is passed over and keeps its place', () => {
    const { index } = openIndex()
    index.offer(lane(1, { queue: 'full' }), 0)
    index.offer(lane(2), 0)
    expect(index.peek(0, (queue) => queue !== 'full')?.seq).toBe(2)
    expect(index.peek(0, () => false)).toBeUndefined()
    expect(index.peek(0)?.seq).toBe(1)
  })

  test('any history gives each lane once, in order', () => {
    const entry = fc.record({
      seq: fc.integer({ min: 1, max: 40 }),
      priority: fc.constantFrom<Priority>(1, 2, 3, 4),
      dueAt: fc.nat(50),
    })
    fc.assert(
      fc.property(fc.uniqueArray(entry, { selector: (one) => one.seq, maxLength: 40 }), fc.nat(60), (entries, now) => {
        const { index } = openIndex()
        for (const one of entries) index.offer(lane(one.seq, one), 0)
        const due = entries.filter((one) => one.dueAt <= now)
        due.sort((left, right) => left.priority - right.priority || left.seq - right.seq)
        expect(drain(index, now)).toEqual(due.map((one) => one.seq))
        const rest = entries.filter((one) => one.dueAt > now).map((one) => one.dueAt)
        expect(index.nextDueAt()).toBe(rest.length === 0 ? null : Math.min(...rest))
      }),
    )
  })
})
