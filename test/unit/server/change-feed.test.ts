import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ManagerNotice } from '../../../src/client/manager-client.ts'
import { type Change, type ChangeFeed, createChangeFeed } from '../../../src/server/subscriptions/change-feed.ts'

interface Stream {
  readonly jobIds: readonly string[] | null
  readonly signal: AbortSignal
  tell(notice: ManagerNotice): Promise<void>
  end(): Promise<void>
}

/** A manager whose streams are in the hand of the test. */
function streams() {
  const opened: Stream[] = []
  async function* notices(jobIds: readonly string[] | null, signal: AbortSignal): AsyncGenerator<ManagerNotice> {
    const waiting: (ManagerNotice | 'end')[] = []
    let wake: () => void = () => undefined
    const push = async (item: ManagerNotice | 'end') => {
      waiting.push(item)
      wake()
      await vi.advanceTimersByTimeAsync(0)
    }
    opened.push({ jobIds, signal, tell: push, end: () => push('end') })
    signal.addEventListener('abort', () => void push('end'), { once: true })
    for (;;) {
      const item = waiting.shift()
      if (item === 'end') return
      if (item !== undefined) yield item
      else
        await new Promise<void>((resolve) => {
          wake = resolve
        })
    }
  }
  return { opened, notices }
}

const job = (id: string, type = 'job.completed'): ManagerNotice => ({
  kind: 'job',
  event: { id: 1, type, job_id: id, unit_id: null, data: {}, at: '2031-05-04T22:00:00.000Z' },
})

let leaving: AbortController
beforeEach(() => {
  vi.useFakeTimers()
  leaving = new AbortController()
})
afterEach(async () => {
  leaving.abort()
  await settle()
  vi.useRealTimers()
})

function feedOf(source: ReturnType<typeof streams>): ChangeFeed {
  return createChangeFeed({ notices: source.notices, leaving: leaving.signal })
}
const settle = () => vi.advanceTimersByTimeAsync(20)

describe('the stream', () => {
  test('is opened by the first who follows and closed by the last', async () => {
    const source = streams()
    const feed = feedOf(source)
    await settle()
    expect(source.opened).toHaveLength(0)
    const stop = feed.follow(['a'], () => undefined)
    await settle()
    expect(source.opened.map(({ jobIds }) => jobIds)).toEqual([['a']])
    stop()
    await settle()
    expect(source.opened[0]?.signal.aborted).toBe(true)
  })

  test('is one for all, of the jobs that anybody follows', async () => {
    const source = streams()
    const feed = feedOf(source)
    feed.follow(['b'], () => undefined)
    feed.follow(['a', 'b'], () => undefined)
    await settle()
    expect(source.opened.map(({ jobIds }) => jobIds)).toEqual([['a', 'b']])
    feed.follow(null, () => undefined)
    await settle()
    const streamsNow = () => source.opened.map(({ jobIds, signal }) => [jobIds, signal.aborted])
    // The old one tells until the new one is open: nothing is missed in between.
    expect(streamsNow()).toEqual([
      [['a', 'b'], false],
      [null, false],
    ])
    await source.opened[1]?.tell({ kind: 'open' })
    expect(streamsNow()).toEqual([
      [['a', 'b'], true],
      [null, false],
    ])
  })

  test('that is opened for who joined later says "anything" to that one alone', async () => {
    const source = streams()
    const feed = feedOf(source)
    const first: Change[] = []
    const second: Change[] = []
    const third: Change[] = []
    feed.follow(['a'], (change) => first.push(change))
    await settle()
    await source.opened[0]?.tell({ kind: 'open' })
    feed.follow(['b'], (change) => second.push(change))
    await settle()
    await source.opened[1]?.tell({ kind: 'open' })
    feed.follow(['b'], (change) => third.push(change))
    await settle()
    expect([first, second, third]).toEqual(Array(3).fill([{ kind: 'everything' }]))
    expect(source.opened).toHaveLength(2)
  })

  test('says nothing to those who overhear when it opens, and "anything" when it was lost', async () => {
    const source = streams()
    const feed = feedOf(source)
    const heard: Change[] = []
    feed.overhear((change) => heard.push(change))
    feed.noteCall()
    await settle()
    await source.opened[0]?.tell({ kind: 'open' })
    expect(heard).toEqual([])
    await source.opened[0]?.end()
    await vi.advanceTimersByTimeAsync(200)
    await source.opened[1]?.tell({ kind: 'open' })
    expect(heard).toEqual([{ kind: 'everything' }])
  })

  test('is not opened anew for each of many that join at once', async () => {
    const source = streams()
    const feed = feedOf(source)
    for (let count = 0; count < 400; count += 1) feed.follow([`job ${count}`], () => undefined)
    await settle()
    expect(source.opened).toHaveLength(1)
  })

  test('is not opened for those who only overhear, before a call, and closed some time after the last one', async () => {
    const source = streams()
    const feed = feedOf(source)
    feed.overhear(() => undefined)
    await settle()
    expect(source.opened).toHaveLength(0)
    feed.noteCall()
    await settle()
    expect(source.opened.map(({ jobIds }) => jobIds)).toEqual([[]])
    await vi.advanceTimersByTimeAsync(4 * 60_000)
    feed.noteCall()
    await vi.advanceTimersByTimeAsync(4 * 60_000)
    expect(source.opened[0]?.signal.aborted).toBe(false)
    await vi.advanceTimersByTimeAsync(60_020)
    expect(source.opened[0]?.signal.aborted).toBe(true)
  })

  test('is opened again when it ended, later and later, and what was missed is anything', async () => {
    const source = streams()
    const changes: Change[] = []
    const feed = feedOf(source)
    feed.follow(['a'], (change) => changes.push(change))
    await settle()
    await source.opened[0]?.tell({ kind: 'open' })
    changes.length = 0
    await source.opened[0]?.end()
    expect(source.opened).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(200)
    expect(source.opened).toHaveLength(2)
    await source.opened[1]?.tell({ kind: 'open' })
    expect(changes).toEqual([{ kind: 'everything' }])
  })

  test('ends when the process leaves', async () => {
    const source = streams()
    feedOf(source).follow(null, () => undefined)
    await settle()
    leaving.abort()
    await settle()
    expect(source.opened[0]?.signal.aborted).toBe(true)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(source.opened).toHaveLength(1)
  })
})

describe('a follower', () => {
  test('hears of its own jobs only; an overhearer of all that comes by', async () => {
    const source = streams()
    const feed = feedOf(source)
    const own: Change[] = []
    const overheard: Change[] = []
    feed.follow(['a'], (change) => own.push(change))
    feed.overhear((change) => overheard.push(change))
    await settle()
    await source.opened[0]?.tell(job('a'))
    await source.opened[0]?.tell(job('b', 'job.submitted'))
    await source.opened[0]?.tell({ kind: 'job_types' })
    expect(own).toEqual([{ kind: 'job', jobId: 'a', type: 'job.completed' }, { kind: 'job_types' }])
    expect(overheard).toHaveLength(3)
  })

  test('that has left hears nothing', async () => {
    const source = streams()
    const feed = feedOf(source)
    const heard: Change[] = []
    feed.follow(['a'], () => undefined)
    const stop = feed.follow(['a'], (change) => heard.push(change))
    await settle()
    stop()
    await source.opened[0]?.tell(job('a'))
    expect(heard).toEqual([])
  })
})
