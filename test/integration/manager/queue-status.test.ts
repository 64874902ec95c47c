import { expect, test } from 'vitest'
import { queueStatus } from '../../../src/manager/services/queue-status.ts'
import type { ServiceContext } from '../../../src/manager/services/service-context.ts'
import { start } from '../../conformance/support/jobs.ts'
import { newSchedule } from '../../conformance/support/schedules.ts'
import { openHistory } from './history-under-test.ts'

const day = 24 * 3_600_000

function openStatus() {
  const history = openHistory()
  const running = new Map<string, number>()
  const context = {
    ...history.context,
    facts: { ...history.context.facts, version: '0', pid: 1, epoch: 1, startedAt: start, deathsFile: '/nonexistent' },
    settings: { free_space_floor: 1 },
    storage: { freeBytes: () => 10, acceptsJobs: true, healthy: true },
    dispatcher: {
      slotsOf: () => ({ total: 4, busy: 0 }),
      slotsOfKind: () => ({ total: 4, busy: 0 }),
      waitOfQueue: () => null,
      isQueuePaused: () => false,
      runningInQueue: (name: string) => running.get(name) ?? 0,
    },
    threads: { status: () => [] },
    fleet: { status: () => [], isConfigured: () => false },
    jobTypes: { problemOf: () => null },
    isDraining: () => false,
  } as unknown as ServiceContext
  return { ...history, context, running }
}

test('shows queues that have something to tell, those that people stopped first', async () => {
  const { context, store, running } = openStatus()
  store.updateQueue('limited', { concurrency: 2, rate: { count: 5, windowMs: 60_000 } }, start)
  store.updateQueue('stopped', { paused: true }, start)
  store.updateQueue('plain', {}, start)
  store.updateQueue('busy', {}, start)
  running.set('busy', 3)
  const { queues } = await queueStatus(context, { test_gpu: false })
  expect(queues[0]).toMatchObject({ name: 'stopped', paused: true })
  expect(queues.map((queue) => queue.name).sort()).toEqual(['busy', 'limited', 'stopped'])
  expect(queues.find((queue) => queue.name === 'limited')).toMatchObject({
    concurrency: 2,
    rate_limit: { count: 5, interval_s: 60 },
  })
  expect(queues.find((queue) => queue.name === 'busy')?.running).toBe(3)
})

test('says when the next schedule is due, and what retention deleted lately', async () => {
  const { context, store, clock } = openStatus()
  expect((await queueStatus(context, { test_gpu: false })).schedules).toEqual({ enabled: 0, next_run_at: null })
  store.saveSchedule(newSchedule('late', { nextRunAt: start + day }))
  store.saveSchedule(newSchedule('soon', { nextRunAt: start + 60_000 }))
  store.saveSchedule(newSchedule('off', { nextRunAt: start, enabled: false }))
  store.recordPruning({ at: start - 40 * day, jobs: 1, bytes: 1, rule: 'age' })
  store.recordPruning({ at: start, jobs: 7, bytes: 900, rule: 'count' })
  const answer = await queueStatus(context, { test_gpu: false })
  expect(answer.schedules).toEqual({ enabled: 2, next_run_at: new Date(start + 60_000).toISOString() })
  expect(answer.pruned).toEqual([{ at: new Date(clock.now()).toISOString(), jobs: 7, bytes: 900, rule: 'count' }])
})

test('totals do not depend on the reader', async () => {
  const { context, complete } = openStatus()
  complete(1, start)
  const expected = (await queueStatus(context, { test_gpu: false })).last_24h
  expect(expected).toMatchObject({ submitted: 1, completed: 1 })
  const reader = { ...context.reader, readStatistics: () => Promise.reject(new Error('gone')) }
  expect((await queueStatus({ ...context, reader }, { test_gpu: false })).last_24h).toEqual(expected)
})
