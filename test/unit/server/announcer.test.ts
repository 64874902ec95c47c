import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Caller } from '../../../src/server/served.ts'
import { createAnnouncer } from '../../../src/server/subscriptions/announcer.ts'
import type { Change, ChangeFeed, ChangeListener } from '../../../src/server/subscriptions/change-feed.ts'
import { type TaskBackend, type TaskState, UnknownTaskError } from '../../../src/server/tasks/task-backend.ts'

const caller: Caller = { era: 'modern', principal: 'local', submittedBy: 'test', takesTasks: true, canAsk: false }
const working: TaskState = {
  status: 'working',
  createdAt: '2031-05-04T22:00:00.000Z',
  lastUpdatedAt: '2031-05-04T22:00:00.000Z',
  ttlMs: null,
  pollIntervalMs: 1_000,
}

/** A feed in the hand of the test, and what the announcer sends. */
function announcerUnderTest() {
  const followers = new Map<ChangeListener, readonly string[] | null>()
  const overhearers = new Set<ChangeListener>()
  const changes: ChangeFeed = {
    follow(jobIds, listener) {
      followers.set(listener, jobIds)
      return () => followers.delete(listener)
    },
    overhear(listener) {
      overhearers.add(listener)
      return () => overhearers.delete(listener)
    },
    noteCall: () => undefined,
  }
  const watched = new Map<string, { tell: (id: string, state: TaskState) => void; signal: AbortSignal }>()
  const tasks: TaskBackend = {
    get: () => Promise.resolve(working),
    update: () => Promise.resolve(),
    cancel: () => Promise.resolve(),
    watch: (ids, _caller, tell, signal) => {
      if (ids.includes('unknown')) return Promise.reject(new UnknownTaskError())
      for (const id of ids) watched.set(id, { tell, signal })
      return Promise.resolve()
    },
  }
  const sent: string[] = []
  const announcer = createAnnouncer({
    changes,
    tasks: () => Promise.resolve(tasks),
    target: {
      resourceUpdated: (uri) => sent.push(uri),
      resourceListChanged: () => sent.push('resources'),
      toolListChanged: () => sent.push('tools'),
      taskChanged: (taskId, state, watch) => sent.push(`${watch}: ${taskId} ${state.status}`),
    },
  })
  const tell = (change: Change) => {
    for (const listener of [...followers.keys(), ...overhearers]) listener(change)
  }
  return { announcer, sent, tell, followers, overhearers, watched }
}

const changed = (jobId: string, type = 'job.completed'): Change => ({ kind: 'job', jobId, type })

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('a watched resource', () => {
  test.each([
    ['job://a', ['a']],
    ['job://a/log', ['a']],
    ['job://a/artifacts/b.txt', ['a']],
    ['queue://status', null],
  ])('%s follows the jobs %j', (uri, jobIds) => {
    const { announcer, followers } = announcerUnderTest()
    announcer.watchResource(uri)
    expect([...followers.values()]).toEqual([jobIds])
  })

  test('is told of at once, then at most once a second, the last change included', () => {
    const { announcer, sent, tell } = announcerUnderTest()
    announcer.watchResource('job://a')
    for (let count = 0; count < 5; count += 1) tell(changed('a'))
    expect(sent).toEqual(['job://a'])
    vi.advanceTimersByTime(1_000)
    expect(sent).toEqual(['job://a', 'job://a'])
    vi.advanceTimersByTime(5_000)
    expect(sent).toHaveLength(2)
  })

  test('of job types changes with them and with nothing else', () => {
    const { announcer, sent, tell } = announcerUnderTest()
    announcer.watchResource('queue://types')
    announcer.watchResource('job://a')
    tell(changed('a'))
    expect(sent).toEqual(['job://a'])
    tell({ kind: 'job_types' })
    expect(sent).toEqual(['job://a', 'queue://types'])
  })

  test('is told of no more once it ended', () => {
    const { announcer, followers } = announcerUnderTest()
    announcer.watchResource('job://a')()
    expect(followers.size).toBe(0)
  })
})

describe('watched lists', () => {
  test('change with job types and with new jobs, not with the progress of jobs', () => {
    const { announcer, sent, tell } = announcerUnderTest()
    const end = announcer.watchLists()
    tell(changed('a', 'unit.completed'))
    expect(sent).toEqual([])
    tell(changed('a', 'job.submitted'))
    expect(sent).toEqual(['resources'])
    tell({ kind: 'job_types' })
    expect(sent).toEqual(['resources', 'tools'])
    end()
  })
})

describe('many that watch the same', () => {
  test('are one to the router, which tells each of them', () => {
    const { announcer, sent, tell, followers, overhearers } = announcerUnderTest()
    const ends = Array.from({ length: 100 }, () => [announcer.watchLists(), announcer.watchResource('job://a')]).flat()
    expect([followers.size, overhearers.size]).toEqual([1, 1])
    for (let count = 0; count < 5; count += 1) tell({ kind: 'everything' })
    expect(sent.sort()).toEqual(['job://a', 'resources', 'tools'])
    for (const end of [...ends.slice(1), ...ends.slice(1)]) end()
    expect([followers.size, overhearers.size]).toEqual([0, 1])
    ends[0]?.()
    expect(overhearers.size).toBe(0)
  })
})

describe('watched tasks', () => {
  test('that are not the caller’s are left out of what was agreed', async () => {
    const { announcer, sent, watched } = announcerUnderTest()
    const { agreed, heard, end } = await announcer.watchTasks(['a', 'unknown', 'b', 'a'], caller)
    expect(agreed).toEqual(['a', 'b'])
    heard()
    watched.get('b')?.tell('b', { ...working, status: 'cancelled' })
    expect(sent).toEqual(['1: b cancelled'])
    end()
    expect(watched.get('a')?.signal.aborted).toBe(true)
  })

  test('are told of once they are heard, the newest state of each', async () => {
    const { announcer, sent, watched } = announcerUnderTest()
    const { heard } = await announcer.watchTasks(['a'], caller)
    watched.get('a')?.tell('a', working)
    watched.get('a')?.tell('a', { ...working, status: 'cancelled' })
    expect(sent).toEqual([])
    heard()
    expect(sent).toEqual(['1: a cancelled'])
  })

  test('of two listeners are told of to each by itself', async () => {
    const { announcer, sent, watched } = announcerUnderTest()
    const first = await announcer.watchTasks(['a'], caller)
    const { tell } = watched.get('a') ?? {}
    const second = await announcer.watchTasks(['a'], caller)
    first.heard()
    second.heard()
    tell?.('a', working)
    watched.get('a')?.tell('a', working)
    expect(sent).toEqual(['1: a working', '2: a working'])
  })
})
