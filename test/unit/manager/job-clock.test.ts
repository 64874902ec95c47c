import { expect, onTestFinished, test, vi } from 'vitest'
import type { HeldUnit } from '../../../src/domain/ports/job-store.ts'
import { type ClockedJob, JobClock, type JobClockOptions } from '../../../src/manager/runtime/job-clock.ts'
import { createFakeClock } from '../../support/fake-clock.ts'

const job = (more: Partial<ClockedJob> = {}): ClockedJob =>
  ({ id: 'j', startedAt: 1, pausedAt: null, frozenAt: null, heldAt: null, ...more }) as ClockedJob
const limit = { totalTimeoutMs: 60_000 }

/** The three methods it needs, on a map; commits that can be made to fail. */
function setUp(elapsed: Record<string, number> = {}) {
  const clock = createFakeClock()
  const stored = new Map(Object.entries(elapsed))
  const cancelled: string[] = []
  const stopped: string[] = []
  const state = { fails: false, committed: true }
  const store = {
    recordJobElapsed: (id: string, ms: number) => void stored.set(id, (stored.get(id) ?? 0) + ms),
    readJobElapsed: (id: string) => stored.get(id) ?? 0,
    requestCancel: (id: string, reason: string) => {
      cancelled.push(`${id} ${reason}`)
      return { kind: 'cancelling', held: [{ fence: { unitId: 'u' } } as HeldUnit] }
    },
  }
  const commits = {
    async run<T>(work: (commit: { afterCommit(effect: () => void): void; afterFailure(): void }) => T): Promise<T> {
      if (state.fails) throw new Error('disk full')
      const effects: (() => void)[] = []
      const answer = work({ afterCommit: (effect) => effects.push(effect), afterFailure: () => undefined })
      expect(stopped).toEqual([])
      for (const effect of effects) effect()
      return answer
    },
  }
  const log = { info: () => undefined, warn: () => undefined }
  const make = () => {
    const jobs = new JobClock({
      store: store as unknown as JobClockOptions['store'],
      commits: commits as unknown as JobClockOptions['commits'],
      clock,
      log,
      stop: (unitId) => stopped.push(unitId),
    })
    onTestFinished(() => jobs.close())
    return jobs
  }
  return { clock, stored, cancelled, stopped, state, make, jobs: make() }
}

test('at the deadline the job is cancelled, then its running units are stopped, once', async () => {
  const { clock, jobs, cancelled, stopped } = setUp()
  jobs.started(job(), limit)
  clock.advance(59_999)
  await jobs.beat()
  expect(cancelled).toEqual([])
  clock.advance(1)
  await jobs.beat()
  await jobs.beat()
  expect([cancelled, stopped]).toEqual([['j deadline'], ['u']])
})

test('the deadline strikes by itself, without a beat', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const { clock, jobs, cancelled } = setUp()
  jobs.started(job(), { totalTimeoutMs: 200_000 })
  for (let minutes = 0; minutes < 4; minutes++) {
    clock.advance(50_000)
    await vi.advanceTimersByTimeAsync(50_000)
  }
  expect(cancelled).toEqual(['j deadline'])
})

test('a machine that sleeps, a clock that jumps and a pause do not count; later attempts do', async () => {
  const { clock, jobs, cancelled } = setUp()
  jobs.started(job(), limit)
  clock.advance(20_000)
  clock.suspend(3_600_000)
  clock.jump(3_600_000)
  jobs.paused('j')
  jobs.paused('j')
  clock.advance(600_000)
  await jobs.beat()
  jobs.resumed('j')
  jobs.resumed('j')
  clock.advance(20_000)
  jobs.started(job(), limit)
  expect(jobs.elapsedMs('j')).toBe(40_000)
  await jobs.beat()
  expect(cancelled).toEqual([])
  clock.advance(20_000)
  await jobs.beat()
  expect(cancelled).toEqual(['j deadline'])
})

test('it goes on with what was stored; the time without a manager does not count', async () => {
  const { clock, jobs, stored, make, cancelled } = setUp()
  jobs.started(job(), limit)
  clock.advance(12_345)
  await jobs.beat()
  clock.advance(5_000)
  await jobs.beat()
  expect(stored.get('j')).toBe(17_345)
  clock.advance(655)
  await jobs.close()
  expect(stored.get('j')).toBe(18_000)

  clock.advance(3_600_000)
  const next = make()
  const paused = { job: job({ id: 'p', pausedAt: 1 }), totalTimeoutMs: 1_000 }
  const unstarted = { job: job({ id: 'n', startedAt: null }), totalTimeoutMs: 1_000 }
  next.restore([{ job: job(), totalTimeoutMs: 60_000 }, paused, unstarted])
  clock.advance(41_999)
  await next.beat()
  expect([cancelled, next.elapsedMs('p'), next.elapsedMs('n')]).toEqual([[], 0, null])
  clock.advance(1)
  await next.beat()
  expect(cancelled).toEqual(['j deadline'])
})

test('storage that fails loses no time and no deadline', async () => {
  const { clock, jobs, stored, state, cancelled } = setUp()
  jobs.started(job(), limit)
  clock.advance(10_000)
  state.fails = true
  await jobs.beat()
  clock.advance(50_000)
  await jobs.beat()
  state.fails = false
  expect([stored.get('j'), cancelled]).toEqual([undefined, []])
  await vi.waitFor(async () => {
    await jobs.beat()
    expect(cancelled).toEqual(['j deadline'])
  })
})

test('a job that ended, has no limit, or is held and paused at once', async () => {
  const { clock, jobs, cancelled } = setUp()
  jobs.started(job({ id: 'ended' }), limit)
  jobs.ended('ended')
  jobs.started(job({ id: 'unlimited' }), { totalTimeoutMs: null })
  jobs.started(job({ heldAt: 1, pausedAt: 1 }), limit)
  jobs.follow(job({ heldAt: 1 }))
  clock.advance(600_000)
  await jobs.beat()
  expect([cancelled, jobs.elapsedMs('j'), jobs.elapsedMs('unlimited')]).toEqual([[], 0, null])
  jobs.follow(job())
  clock.advance(60_000)
  await jobs.beat()
  expect(cancelled).toEqual(['j deadline'])
})
