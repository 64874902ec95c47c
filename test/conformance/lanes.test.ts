import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import { claim, facts, jobIdOf, newJob, start, submit, worker } from './support/jobs.ts'

describe.each(implementations)('$name: holdLane, readLaneHolds', ({ open }) => {
  test('keeps the later end of a hold until it is over', () => {
    const { store } = open()
    const hold = (key: string, until: number, reason: string) =>
      store.holdLane({ queue: 'web', key, until, reason }, start)
    hold('host', start + 500, 'said 429')
    hold('host', start + 400, 'an earlier reset')
    hold('', start + 900, 'everything')
    expect(store.readLaneHolds(start)).toEqual([
      { queue: 'web', key: '', until: start + 900, reason: 'everything' },
      { queue: 'web', key: 'host', until: start + 500, reason: 'said 429' },
    ])
    hold('host', start + 600, 'once more')
    expect(store.readLaneHolds(start + 599).map((each) => each.reason)).toEqual(['everything', 'once more'])
    expect(store.readLaneHolds(start + 600).map((each) => each.reason)).toEqual(['everything'])
  })
})

describe.each(implementations)('$name: endLaneHolds', ({ open }) => {
  test('ends the holds of one queue and its keys, and makes what was deferred due', () => {
    const { store } = open()
    submit(store, newJob(1, { queue: 'web' }))
    submit(store, newJob(2, { queue: 'web', maxAttempts: 3 }))
    submit(store, newJob(3, { queue: 'web2' }))
    const until = start + 60_000
    for (const number of [1, 3]) store.deferUnitIfHeld(claim(store, jobIdOf(number)).fence, until, null, facts())
    store.failUnitIfHeld(claim(store, jobIdOf(2)).fence, 'failed', until, null, facts())
    for (const [queue, key] of [
      ['web', ''],
      ['web', 'host'],
      ['web2', ''],
    ] as const)
      store.holdLane({ queue, key, until, reason: 'said 429' }, start)

    expect(store.endLaneHolds('web', start + 5)).toEqual({ holds: 2, units: 1 })
    expect(store.readLaneHolds(start + 5).map(({ queue }) => queue)).toEqual(['web2'])
    for (const [number, availableAt] of [
      [1, start + 5],
      [2, until],
      [3, until],
    ] as const)
      expect(store.readUnits(jobIdOf(number), { limit: 1 })).toMatchObject([{ availableAt }])
    expect(store.endLaneHolds('web', start + 5)).toEqual({ holds: 0, units: 0 })
  })
})

describe.each(implementations)('$name: readLaneStarts', ({ open }) => {
  test('gives the starts since then, oldest first, and forgets older ones', () => {
    const { store } = open()
    submit(store, newJob(1, {}, 3))
    const lane = { queue: 'default', key: 'host' }
    for (const at of [0, 10, 20]) {
      const claimed = { jobId: jobIdOf(1), limitKey: null, limit: 1, workerId: worker.id, nonce: `n${at}` }
      const run = { executor: 'command', mode: 'local', countedLanes: [lane], now: start + at } as const
      store.claimUnitsIfDue({ ...claimed, ...run })
    }
    expect(store.readLaneStarts(start + 10)).toEqual([
      { ...lane, startedAt: start + 10 },
      { ...lane, startedAt: start + 20 },
    ])
    expect(store.readLaneStarts(0)).toHaveLength(2)
  })
})

describe.each(implementations)('$name: updateQueue, readQueues', ({ open }) => {
  test('makes the queue, changes what was named, and removes with null', () => {
    const { store } = open()
    const rate = { count: 5, windowMs: 60_000 }
    expect(store.updateQueue('web', { concurrency: 3 }, start)).toEqual({
      name: 'web',
      concurrency: 3,
      rate: null,
      pausedAt: null,
    })
    expect(store.updateQueue('web', { rate }, start)).toMatchObject({ concurrency: 3, rate })
    expect(store.updateQueue('web', { paused: true }, start + 1)).toMatchObject({ rate, pausedAt: start + 1 })
    expect(store.updateQueue('web', { paused: true }, start + 2)).toMatchObject({ pausedAt: start + 1 })
    const changed = store.updateQueue('web', { concurrency: null, rate: null, paused: false }, start + 3)
    expect(changed).toEqual({ name: 'web', concurrency: null, rate: null, pausedAt: null })
  })

  test('lists the queues by name, those of jobs too', () => {
    const { store } = open()
    submit(store, newJob(1, { queue: 'night' }))
    store.updateQueue('early', { concurrency: 1 }, start)
    expect(store.readQueues().map((queue) => queue.name)).toEqual(['early', 'night'])
  })
})
