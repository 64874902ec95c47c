import pino from 'pino'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ErrorRecord } from '../../../src/domain/errors.ts'
import type { GpuOptions } from '../../../src/domain/job.ts'
import type { NewJob } from '../../../src/domain/ports/job-store.ts'
import type { GpuFleet, GpuNeed, GpuOutlook } from '../../../src/domain/ports/remote-executor.ts'
import { CommitQueue } from '../../../src/manager/runtime/commit-queue.ts'
import { GpuWaits } from '../../../src/manager/runtime/gpu-waits.ts'
import { openSqlite } from '../../conformance/support/implementations.ts'
import {
  claimForGpu,
  claimSome,
  eventTypes,
  jobIdOf,
  newJob,
  options,
  start,
  submit,
  unitIdOf,
  worker,
} from '../../conformance/support/jobs.ts'

const awayError: ErrorRecord = { code: 'gpu_unavailable', message: 'rig is away', remedy: 'Start rig.' }
const busyError: ErrorRecord = { code: 'gpu_unavailable', message: 'rig has no place', remedy: 'Wait.' }
const busy: GpuOutlook = { kind: 'busy', error: busyError }
const unavailable: GpuOutlook = { kind: 'unavailable', error: awayError }

const prefer: GpuOptions = { preference: 'prefer', fallback: 'after_lease', waitMs: 60_000 }
const needOf = (type: string): GpuNeed => ({ type, version: '1', gpuMemoryMegabytes: null, pure: true })

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** A fleet that says what the test says. */
function fakeFleet() {
  const said = {
    isConfigured: true,
    outlook: { kind: 'ready' } as GpuOutlook,
    wanted: [] as string[][],
    outlooks: 0,
    listener: (() => undefined) as () => void,
  }
  const refuse = () => Promise.reject(new Error('nobody asks for that'))
  const fleet: GpuFleet = {
    isConfigured: () => said.isConfigured,
    placesFor: () => 0,
    outlookOf: () => {
      said.outlooks += 1
      return said.outlook
    },
    want: (needs) => {
      said.wanted.push(needs.map(({ type }) => type))
    },
    onChange: (listener) => {
      said.listener = listener
    },
    status: () => [],
    test: refuse,
    add: refuse,
    remove: refuse,
    close: refuse,
  }
  return { fleet, said }
}

function openWaits(handlers: (type: string) => GpuNeed | null = needOf) {
  const { store, clock } = openSqlite()
  const raise = (error: unknown) => {
    throw error
  }
  const commits = new CommitQueue({
    store,
    faultPoint: () => undefined,
    isStorageFault: () => false,
    onGroupFailure: raise,
    onHookError: raise,
    onEpochLost: raise,
  })
  const { fleet, said } = fakeFleet()
  let nonces = 0
  let places = 0
  const waits = new GpuWaits({
    store,
    commits,
    fleet,
    clock,
    needOf: handlers,
    claimAs: { workerId: worker.id, createNonce: () => `refused-${nonces++}` },
    onPlaces: () => {
      places += 1
    },
    log: pino({ level: 'silent' }),
  })
  /** Each judgement is a few commits; the tests have few jobs. */
  const settle = async () => {
    for (let commit = 0; commit < 12; commit += 1) await commits.run(() => undefined)
  }
  const look = async () => {
    waits.wake()
    await settle()
  }
  const add = (number: number, gpu: GpuOptions = prefer, changes: Partial<NewJob> = {}, units = 1) =>
    submit(store, newJob(number, { gpu: gpu.preference, options: { ...options, gpu }, ...changes }, units))
  /** What this machine may claim of a job now. @returns how those attempts run */
  const runHere = (number: number) =>
    claimSome(store, jobIdOf(number), 99, { now: clock.now() }).map(({ unit }) => store.readAttempts(unit.id).at(-1))
  const sinceOf = (number: number) => store.readJob(jobIdOf(number))?.gpuWaitsSince
  return { store, clock, said, waits, settle, look, add, runHere, sinceOf, placesTold: () => places }
}

describe('a job that prefers a GPU', () => {
  test.each(['after_lease', 'immediate', 'never'] as const)(
    'runs here when no worker is configured, and nobody calls that a fallback (gpu_fallback %s)',
    async (fallback) => {
      const { add, said, look, runHere, store } = openWaits()
      said.isConfigured = false
      said.outlook = unavailable
      add(1, { ...prefer, fallback }, {}, 2)
      await look()
      expect(runHere(1)).toMatchObject([
        { mode: 'local', fallbackReason: null },
        { mode: 'local', fallbackReason: null },
      ])
      expect(eventTypes(store)).not.toContain('units.fell_back')
      expect(said.outlooks).toBe(0)
    },
  )

  test('falls back at once, with the reason, when no worker is there for it', async () => {
    const { add, said, look, runHere, store, sinceOf } = openWaits()
    said.outlook = unavailable
    add(1, prefer, {}, 2)
    add(2)
    await look()
    for (const number of [1, 2]) {
      const attempts = runHere(number)
      expect(attempts).toHaveLength(number === 1 ? 2 : 1)
      for (const attempt of attempts)
        expect(attempt).toMatchObject({ mode: 'local (gpu fallback)', fallbackReason: awayError })
    }
    expect(eventTypes(store).filter((type) => type === 'units.fell_back')).toHaveLength(2)
    expect(sinceOf(1)).toBeNull()
  })

  test.each(['ready', 'checking'] as const)('is left to the dispatcher while workers are %s', async (kind) => {
    const { add, said, look, runHere, clock, sinceOf } = openWaits()
    said.outlook = { kind }
    add(1)
    await look()
    clock.advance(3_600_000)
    await look()
    expect(runHere(1)).toEqual([])
    expect(sinceOf(1)).toBeNull()
  })

  test('waits its time for a worker that is busy, and then falls back with what the worker said', async () => {
    const { add, said, look, runHere, clock, sinceOf } = openWaits()
    said.outlook = busy
    add(1)
    await look()
    expect(sinceOf(1)).toBe(start)
    clock.advance(59_999)
    await look()
    expect(runHere(1)).toEqual([])
    expect(sinceOf(1)).toBe(start)
    clock.advance(1)
    await look()
    const message = 'no GPU worker took it within 1 m (gpu_wait_s): rig has no place'
    expect(runHere(1)).toMatchObject([
      { mode: 'local (gpu fallback)', fallbackReason: { code: 'gpu_unavailable', message } },
    ])
  })

  test('does not wait in vain while a worker computes other units of it', async () => {
    const { add, said, look, runHere, clock, store, sinceOf } = openWaits()
    said.outlook = busy
    add(1, prefer, {}, 3)
    await look()
    clock.advance(50_000)
    const served = claimForGpu(store, jobIdOf(1), { now: clock.now() })
    for (let hour = 0; hour < 3; hour += 1) {
      clock.advance(3_600_000)
      await look()
      expect(sinceOf(1)).toBeNull()
    }
    expect(runHere(1)).toEqual([])
    const facts = { exitCode: 0, error: null, elapsedMs: 1, outputBytes: 0, droppedBytes: 0, now: clock.now() }
    store.completeUnitIfHeld(served.fence, null, facts)
    // The wait begins anew.
    await look()
    expect(sinceOf(1)).toBe(clock.now())
    clock.advance(59_999)
    await look()
    expect(runHere(1)).toEqual([])
    clock.advance(1)
    await look()
    expect(runHere(1)).toHaveLength(2)
  })

  test('with gpu_fallback "never" it waits, also for a worker that is away, and then fails', async () => {
    const { add, said, look, clock, store } = openWaits()
    said.outlook = unavailable
    add(1, { ...prefer, fallback: 'never' })
    await look()
    clock.advance(59_999)
    await look()
    expect(store.readJob(jobIdOf(1))?.state).toBe('queued')
    clock.advance(1)
    await look()
    expect(store.readJob(jobIdOf(1))).toMatchObject({ state: 'failed', error: { code: 'gpu_unavailable' } })
  })

  test('very many units fall back, all of them', async () => {
    const { add, said, look, runHere, store } = openWaits()
    said.outlook = unavailable
    add(1, prefer, {}, 2_300)
    await look()
    expect(store.readGpuWaiters(start, 9)).toEqual([])
    expect(runHere(1)).toHaveLength(99)
    expect(
      store
        .readEvents(0, 99)
        .filter(({ type }) => type === 'units.fell_back')
        .map(({ data }) => data['count']),
    ).toEqual([1_000, 1_000, 300])
  })
})

describe('a job that requires a GPU', () => {
  const require: GpuOptions = { preference: 'require', fallback: 'never', waitMs: 24 * 3_600_000 }

  test.each([
    ['no worker is configured', false, unavailable],
    ['no worker is there', true, unavailable],
    ['every worker is busy', true, busy],
  ])('waits, then fails as gpu_unavailable: %s', async (_what, isConfigured, outlook) => {
    const { add, said, look, clock, store, sinceOf, runHere } = openWaits()
    said.isConfigured = isConfigured
    said.outlook = outlook
    add(1, require, { maxAttempts: 3 }, 2)
    await look()
    expect(sinceOf(1)).toBe(start)
    clock.advance(require.waitMs - 1)
    await look()
    expect(runHere(1)).toEqual([])
    expect(store.readJob(jobIdOf(1))?.state).toBe('queued')
    clock.advance(1)
    await look()
    const because = outlook.kind === 'busy' ? busyError : awayError
    const message = `no GPU worker took it within 1 d (gpu_wait_s): ${because.message}`
    expect(store.readJob(jobIdOf(1))).toMatchObject({
      state: 'failed',
      counts: { failed: 2 },
      error: { code: 'gpu_unavailable', message },
    })
    expect(store.readAttempts(unitIdOf(1, 0))).toMatchObject([
      { executor: 'gpu', outcome: 'failed', remote: null, device: null, error: { code: 'gpu_unavailable' } },
    ])
  })

  test('units with limit keys fail too, and under the concurrency of the job', async () => {
    const { add, said, look, clock, store } = openWaits()
    said.outlook = unavailable
    const units = ['a', null, 'b', 'b'].map((limitKey, position) => ({
      id: unitIdOf(1, position),
      input: null,
      limitKey,
    }))
    add(1, require, { units, concurrency: 1 })
    await look()
    clock.advance(require.waitMs)
    await look()
    expect(store.readJob(jobIdOf(1))).toMatchObject({ state: 'failed', counts: { failed: 4, available: 0 } })
  })

  test('is taken once a worker is there in time', async () => {
    const { add, said, look, clock, store, sinceOf } = openWaits()
    said.outlook = unavailable
    add(1, require)
    await look()
    clock.advance(require.waitMs - 1)
    said.outlook = { kind: 'ready' }
    await look()
    clock.advance(10)
    await look()
    claimForGpu(store, jobIdOf(1), { now: clock.now() })
    expect(sinceOf(1)).toBeNull()
  })
})

describe('the looks', () => {
  test('nothing is asked of any worker, and no timer runs, while nothing waits', async () => {
    const { look, said, store, add } = openWaits()
    submit(store, newJob(2))
    await look()
    expect([said.outlooks, said.wanted, vi.getTimerCount()]).toEqual([0, [[]], 0])
    said.outlook = busy
    add(1)
    await look()
    expect([said.outlooks, said.wanted.at(-1), vi.getTimerCount()]).toEqual([1, ['command'], 1])
    claimForGpu(store, jobIdOf(1))
    await look()
    expect([said.outlooks, said.wanted.at(-1), vi.getTimerCount()]).toEqual([1, [], 0])
  })

  test('are repeated each second while something waits, and what has fallen back waits no more', async () => {
    const { add, said, look, settle, clock } = openWaits()
    said.outlook = busy
    add(1)
    await look()
    for (let second = 1; second <= 60; second += 1) {
      clock.advance(1_000)
      vi.advanceTimersByTime(1_000)
      await settle()
    }
    expect(said.outlooks).toBe(61)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('follow every change of the fleet, which may have made places', async () => {
    const { add, said, settle, runHere, placesTold } = openWaits()
    add(1)
    said.outlook = unavailable
    said.listener()
    await settle()
    expect(placesTold()).toBe(1)
    expect(runHere(1)).toHaveLength(1)
  })

  test('ask for each type once, and judge nothing whose handler is gone', async () => {
    const { add, said, look, runHere } = openWaits((type) => (type === 'gone' ? null : needOf(type)))
    said.outlook = unavailable
    add(1, prefer, { type: 'gone' })
    add(2, prefer, { type: 'montecarlo' })
    add(3, prefer, { type: 'montecarlo' })
    await look()
    expect(said.wanted).toEqual([['montecarlo']])
    expect([1, 2, 3].map((number) => runHere(number).length)).toEqual([0, 1, 1])
    expect(vi.getTimerCount()).toBe(1)
  })

  test('end with stop, in the middle of one too: a fleet that closes serves nobody', async () => {
    const { add, said, look, waits, settle, runHere } = openWaits()
    said.outlook = unavailable
    for (const number of [1, 2, 3]) add(number)
    waits.wake()
    waits.stop()
    expect(said.wanted.at(-1)).toEqual([])
    await settle()
    expect([2, 3].map((number) => runHere(number).length)).toEqual([0, 0])
    add(4)
    await look()
    said.listener()
    await settle()
    expect(runHere(4)).toEqual([])
    expect([said.wanted.at(-1), vi.getTimerCount()]).toEqual([[], 0])
  })
})
