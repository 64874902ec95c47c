import { describe, expect, test } from 'vitest'
import { implementations, type JobFlag } from './support/implementations.ts'
import {
  brokenRecord,
  claim,
  eventTypes,
  facts,
  jobIdOf,
  newJob,
  start,
  submit,
  unitIdOf,
  worker,
} from './support/jobs.ts'

const request = { workerId: worker.id, executor: 'command', mode: 'local', nonce: 'n', now: start } as const

describe.each(implementations)('$name: claimUnitIfDue', ({ open }) => {
  test('leases the unit, opens its attempt and starts the job in one change', () => {
    const { store } = open()
    submit(store, newJob(1))
    const { unit, job, moreAvailable, fence } = claim(store, jobIdOf(1))
    expect(unit).toEqual({
      id: unitIdOf(1, 0),
      jobId: jobIdOf(1),
      position: 0,
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
    expect(moreAvailable).toBe(false)
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
        outcome: 'running',
        finishedAt: null,
        error: null,
        exitCode: null,
      },
    ])
    expect(eventTypes(store)).toEqual(['job.submitted', 'job.started', 'unit.started'])
  })

  test('takes the units by due time, then by position, and says whether more are due', () => {
    const { store } = open()
    submit(store, newJob(1, { maxAttempts: 2 }, 3))
    const first = claim(store, jobIdOf(1))
    expect([first.unit.position, first.moreAvailable]).toEqual([0, true])
    store.failUnitIfHeld(first.fence, 'failed', start + 10, null, facts({ error: brokenRecord, now: start }))
    const later = start + 10
    const second = claim(store, jobIdOf(1), { now: later })
    const third = claim(store, jobIdOf(1), { now: later })
    const again = claim(store, jobIdOf(1), { now: later })
    expect(
      [second, third, again].map(({ unit, moreAvailable }) => [unit.position, unit.attempt, moreAvailable]),
    ).toEqual([
      [1, 1, true],
      [2, 1, true],
      [0, 2, false],
    ])
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
    expect(store.claimUnitIfDue({ ...request, jobId: jobIdOf(1) })).toEqual({ kind: 'none', nextDueAt: start + 100 })
    expect(store.claimUnitIfDue({ ...request, jobId: jobIdOf(1), now: start + 99 }).kind).toBe('none')
    expect(store.claimUnitIfDue({ ...request, jobId: jobIdOf(1), now: start + 100 }).kind).toBe('claimed')
  })

  test('says when a unit that backs off is due', () => {
    const { store } = open()
    submit(store, newJob(1, { maxAttempts: 3 }))
    const { fence } = claim(store, jobIdOf(1))
    store.failUnitIfHeld(fence, 'failed', start + 4_000, null, facts({ error: brokenRecord, now: start }))
    expect(store.claimUnitIfDue({ ...request, jobId: jobIdOf(1) })).toEqual({ kind: 'none', nextDueAt: start + 4_000 })
  })

  test('keeps to the concurrency of the job', () => {
    const { store } = open()
    submit(store, newJob(1, { concurrency: 2 }, 4))
    const first = claim(store, jobIdOf(1))
    const second = claim(store, jobIdOf(1))
    expect([first.moreAvailable, second.moreAvailable]).toEqual([true, false])
    expect(store.claimUnitIfDue({ ...request, jobId: jobIdOf(1) })).toEqual({ kind: 'none', nextDueAt: null })
    store.completeUnitIfHeld(first.fence, null, facts())
    expect(claim(store, jobIdOf(1)).unit.position).toBe(2)
  })

  test.each<[JobFlag]>([['pausedAt'], ['frozenAt'], ['heldAt']])('claims nothing while %s is set', (flag) => {
    const { store, setFlag } = open()
    submit(store, newJob(1))
    setFlag(jobIdOf(1), flag, start)
    expect(store.claimUnitIfDue({ ...request, jobId: jobIdOf(1) })).toEqual({ kind: 'none', nextDueAt: null })
    setFlag(jobIdOf(1), flag, null)
    expect(store.claimUnitIfDue({ ...request, jobId: jobIdOf(1) }).kind).toBe('claimed')
  })

  test('claims nothing of a paused queue, and goes on with the others', () => {
    const { store, pauseQueue } = open()
    submit(store, newJob(1, { queue: 'night' }))
    submit(store, newJob(2))
    pauseQueue('night', start)
    expect(store.claimUnitIfDue({ ...request, jobId: jobIdOf(1) })).toEqual({ kind: 'none', nextDueAt: null })
    expect(store.claimUnitIfDue({ ...request, jobId: jobIdOf(2) }).kind).toBe('claimed')
  })

  test('claims nothing of a cancelled, a final or an unknown job', () => {
    const { store } = open()
    submit(store, newJob(1, {}, 2))
    claim(store, jobIdOf(1))
    store.requestCancel(jobIdOf(1), 'user', start)
    submit(store, newJob(2))
    store.completeUnitIfHeld(claim(store, jobIdOf(2)).fence, null, facts())
    for (const number of [1, 2, 3]) {
      expect(store.claimUnitIfDue({ ...request, jobId: jobIdOf(number) })).toEqual({ kind: 'none', nextDueAt: null })
    }
  })

  test('refuses a worker that was never registered', () => {
    const { store } = open()
    submit(store, newJob(1))
    expect(() => store.claimUnitIfDue({ ...request, jobId: jobIdOf(1), workerId: 'nobody' })).toThrow()
    expect(store.readJob(jobIdOf(1))).toMatchObject({ state: 'queued', counts: { available: 1 } })
  })
})
