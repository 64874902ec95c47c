import { describe, expect, test } from 'vitest'
import type { ClaimRequest, JobStore } from '../../src/domain/ports/job-store.ts'
import { implementations, type JobFlag } from './support/implementations.ts'
import {
  brokenRecord,
  claim,
  claimSome,
  eventTypes,
  facts,
  jobIdOf,
  newJob,
  start,
  submit,
  unitIdOf,
  worker,
} from './support/jobs.ts'

const request = {
  limitKey: null,
  limit: 1,
  workerId: worker.id,
  executor: 'command',
  mode: 'local',
  nonce: 'n',
  now: start,
} as const
const nothing = { units: [], job: null, nextDueAt: null }

function ask(store: JobStore, job: number, changes: Partial<ClaimRequest> = {}) {
  return store.claimUnitsIfDue({ ...request, jobId: jobIdOf(job), ...changes })
}

function keyed(job: number, keys: readonly (string | null)[]) {
  return keys.map((limitKey, position) => ({ id: unitIdOf(job, position), input: { position }, limitKey }))
}

describe.each(implementations)('$name: claimUnitsIfDue', ({ open }) => {
  test('leases the unit, opens its attempt and starts the job in one change', () => {
    const { store } = open()
    submit(store, newJob(1))
    const { unit, job, nextDueAt, fence } = claim(store, jobIdOf(1))
    expect(unit).toEqual({
      id: unitIdOf(1, 0),
      jobId: jobIdOf(1),
      position: 0,
      key: null,
      limitKey: null,
      finalStep: false,
      attempt: 1,
      failures: 0,
      crashes: 0,
      progress: null,
      state: 'running',
      nonce: fence.nonce,
      workerId: worker.id,
    })
    expect(job).toEqual(store.readJob(jobIdOf(1)))
    expect(job).toMatchObject({ state: 'running', startedAt: start, counts: { available: 0, running: 1 } })
    expect(nextDueAt).toBeNull()
    expect(store.readUnits(jobIdOf(1), { limit: 10 })).toEqual([unit])
    expect(store.readAttempts(unit.id)).toEqual([
      {
        unitId: unit.id,
        attempt: 1,
        nonce: fence.nonce,
        workerId: worker.id,
        executor: 'command',
        mode: 'local',
        startedAt: start,
        runner: null,
        remote: null,
        device: null,
        fallbackReason: null,
        outcome: 'running',
        finishedAt: null,
        error: null,
        exitCode: null,
      },
    ])
    expect(eventTypes(store)).toEqual(['job.submitted', 'job.started', 'unit.started'])
  })

  test('leases several at once, in order, with one nonce, an attempt each and one event', () => {
    const { store } = open()
    submit(store, newJob(1, {}, 5))
    const { units, job, nextDueAt } = ask(store, 1, { limit: 3 })
    expect(units.map((unit) => [unit.position, unit.attempt, unit.nonce])).toEqual([
      [0, 1, 'n'],
      [1, 1, 'n'],
      [2, 1, 'n'],
    ])
    expect(job?.counts).toMatchObject({ available: 2, running: 3 })
    expect(nextDueAt).toBe(start)
    for (const unit of units) expect(store.readAttempts(unit.id)).toMatchObject([{ attempt: 1, nonce: 'n' }])
    const event = store.readEvents(0, 10).at(-1)
    expect(event).toMatchObject({ type: 'units.started', unitId: null, data: { count: 3, positions: [0, 2] } })
    expect(ask(store, 1, { limit: 10, nonce: 'm' }).units.map((unit) => unit.position)).toEqual([3, 4])
  })

  test('takes the units by due time, then by position, and says when the next is due', () => {
    const { store } = open()
    submit(store, newJob(1, { maxAttempts: 2 }, 3))
    const first = claim(store, jobIdOf(1))
    expect([first.unit.position, first.nextDueAt]).toEqual([0, start])
    store.failUnitIfHeld(first.fence, 'failed', start + 10, null, facts({ error: brokenRecord, now: start }))
    const [second, third] = claimSome(store, jobIdOf(1), 5)
    expect([second?.unit.position, third?.unit.position, third?.nextDueAt]).toEqual([1, 2, start + 10])
    const again = claim(store, jobIdOf(1), { now: start + 10 })
    expect([again.unit.position, again.unit.attempt, again.nextDueAt]).toEqual([0, 2, null])
  })

  test('counts the start of the job once', () => {
    const { store } = open()
    submit(store, newJob(1, {}, 2))
    claim(store, jobIdOf(1))
    const second = claim(store, jobIdOf(1), { now: start + 1_000 })
    expect(second.job.startedAt).toBe(start)
    expect(eventTypes(store).filter((type) => type === 'job.started')).toHaveLength(1)
  })

  test('claims nothing before its time and says when', () => {
    const { store } = open()
    submit(store, newJob(1, { runAt: start + 100 }))
    expect(ask(store, 1)).toEqual({ ...nothing, nextDueAt: start + 100 })
    expect(ask(store, 1, { now: start + 99 }).units).toEqual([])
    expect(ask(store, 1, { now: start + 100 }).units).toHaveLength(1)
  })

  test('says when a unit that backs off is due', () => {
    const { store } = open()
    submit(store, newJob(1, { maxAttempts: 3 }))
    const { fence } = claim(store, jobIdOf(1))
    store.failUnitIfHeld(fence, 'failed', start + 4_000, null, facts({ error: brokenRecord, now: start }))
    expect(ask(store, 1)).toEqual({ ...nothing, nextDueAt: start + 4_000 })
  })

  test('keeps to the concurrency of the job, however many are asked for', () => {
    const { store } = open()
    submit(store, newJob(1, { concurrency: 2 }, 5))
    const [first, second, ...more] = claimSome(store, jobIdOf(1), 4)
    if (first === undefined || second === undefined) throw new Error('not claimed')
    expect([more, second.nextDueAt]).toEqual([[], null])
    expect(ask(store, 1)).toEqual(nothing)
    store.completeUnitIfHeld(first.fence, null, facts())
    expect(claimSome(store, jobIdOf(1), 4).map(({ unit }) => unit.position)).toEqual([2])
  })

  test('takes only units of the lane, and tells of that lane', () => {
    const { store } = open()
    submit(store, newJob(1, { units: keyed(1, ['a', 'b', null, 'a', 'b']) }))
    const ofA = ask(store, 1, { limitKey: 'a', limit: 5 })
    expect(ofA.units.map((unit) => [unit.position, unit.limitKey])).toEqual([
      [0, 'a'],
      [3, 'a'],
    ])
    expect(ofA.nextDueAt).toBeNull()
    expect(ask(store, 1, { limitKey: 'c', limit: 5 })).toEqual(nothing)
    expect(ask(store, 1, { limitKey: 'b', limit: 1, nonce: 'm' }).nextDueAt).toBe(start)
    expect(ask(store, 1, { limitKey: null, limit: 5, nonce: 'o' }).units.map((unit) => unit.position)).toEqual([2])
  })

  test('counts the starts in the lanes that are named', () => {
    const { store } = open()
    submit(store, newJob(1, {}, 3))
    const queue = { queue: 'default', key: '' }
    const key = { queue: 'default', key: 'host' }
    ask(store, 1, { limit: 2, countedLanes: [queue, key] })
    expect(store.readLaneStarts(start)).toEqual(
      [queue, queue, key, key].map((lane) => expect.objectContaining({ ...lane, startedAt: start })),
    )
    ask(store, 1, { limit: 2, nonce: 'm' })
    expect(store.readLaneStarts(start)).toHaveLength(4)
  })

  test.each<[JobFlag]>([['pausedAt'], ['frozenAt'], ['heldAt']])('claims nothing while %s is set', (flag) => {
    const { store, setFlag } = open()
    submit(store, newJob(1))
    setFlag(jobIdOf(1), flag, start)
    expect(ask(store, 1)).toEqual(nothing)
    setFlag(jobIdOf(1), flag, null)
    expect(ask(store, 1).units).toHaveLength(1)
  })

  test('claims nothing of a job that waits for another', () => {
    const { store } = open()
    submit(store, newJob(1))
    submit(store, newJob(2, { dependencies: [{ jobId: jobIdOf(1), alias: 'first', condition: 'ended' }] }))
    expect(ask(store, 2)).toEqual(nothing)
    store.requestCancel(jobIdOf(1), 'user', start)
    expect(ask(store, 2).units).toHaveLength(1)
  })

  test('claims nothing of a paused queue, and goes on with the others', () => {
    const { store } = open()
    submit(store, newJob(1, { queue: 'night' }))
    submit(store, newJob(2))
    store.updateQueue('night', { paused: true }, start)
    expect(ask(store, 1)).toEqual(nothing)
    expect(ask(store, 2).units).toHaveLength(1)
  })

  test('claims nothing of a cancelled, a final or an unknown job', () => {
    const { store } = open()
    submit(store, newJob(1, {}, 2))
    claim(store, jobIdOf(1))
    store.requestCancel(jobIdOf(1), 'user', start)
    submit(store, newJob(2))
    store.completeUnitIfHeld(claim(store, jobIdOf(2)).fence, null, facts())
    for (const number of [1, 2, 3]) expect(ask(store, number)).toEqual(nothing)
  })

  test('refuses a worker that was never registered', () => {
    const { store } = open()
    submit(store, newJob(1))
    expect(() => ask(store, 1, { workerId: 'nobody' })).toThrow()
    expect(store.readJob(jobIdOf(1))).toMatchObject({ state: 'queued', counts: { available: 1 } })
  })
})
