import { describe, expect, it } from 'vitest'
import { implementations } from './support/implementations.ts'
import {
  claim,
  completion,
  eventTypes,
  facts,
  jobIdOf,
  newJob,
  start,
  submit,
  worker,
  wrongFences,
} from './support/jobs.ts'

describe.each(implementations)('completeUnitsIfHeld ($name)', ({ open }) => {
  it('completes units of several jobs in one change, each with its own result', () => {
    const { store } = open()
    const many = submit(store, newJob(1, {}, 3))
    const one = submit(store, newJob(2))
    const claims = [claim(store, many.id), claim(store, many.id), claim(store, one.id)]
    const ends = store.completeUnitsIfHeld(
      claims.map(({ fence }, index) => completion(fence, { index })),
      facts().now,
    )
    expect(ends.map(({ job, unitIds, settled }) => [job.id, unitIds.length, settled])).toEqual([
      [many.id, 2, false],
      [one.id, 1, true],
    ])
    expect(store.readJob(many.id)?.counts).toMatchObject({ available: 1, running: 0, completed: 2 })
    expect(store.readJob(one.id)?.state).toBe('completed')
    claims.forEach(({ unit }, index) => {
      expect(store.readUnitPayload(unit.id)?.output).toEqual({ index })
      expect(store.readAttempts(unit.id).at(-1)).toMatchObject({ outcome: 'completed', finishedAt: facts().now })
    })
  })

  it('keeps of each unit how long it ran and how much it said', () => {
    const { store } = open()
    submit(store, newJob(1, { workHash: 'quick' }))
    submit(store, newJob(2, { workHash: 'slow' }))
    const [quick, slow] = [claim(store, jobIdOf(1)), claim(store, jobIdOf(2))]
    const ends = [
      completion(quick.fence, 'x', { elapsedMs: 7, outputBytes: 100 }),
      completion(slow.fence, 'x', { elapsedMs: 9_000.4, outputBytes: 5_000, droppedBytes: 4_000 }),
    ]
    store.completeUnitsIfHeld(ends, start)
    expect(store.readDurations('quick')).toEqual([7])
    expect(store.readDurations('slow')).toEqual([9_000])
    expect(store.deleteJobSlice(jobIdOf(1), 1)?.bytes).toBe(100 + '"x"'.length)
    expect(store.deleteJobSlice(jobIdOf(2), 1)?.bytes).toBe(1_000 + '"x"'.length)
  })

  it('drops the checkpoints of those that completed, and of no other', () => {
    const { store } = open()
    const job = submit(store, newJob(1, {}, 2))
    const [done, other] = [claim(store, job.id), claim(store, job.id)]
    for (const { fence } of [done, other])
      store.recordCheckpointIfHeld(fence, { state: { by: fence.unitId }, format: null })
    store.completeUnitsIfHeld([completion(done.fence)], start)
    expect([...store.readCheckpoints([done.unit.id, other.unit.id]).keys()]).toEqual([other.unit.id])
  })

  it('leaves out what is no longer held, and keeps nothing of its output', () => {
    const { store } = open()
    const job = submit(store, newJob(1, {}, 2))
    const kept = claim(store, job.id)
    const other = claim(store, job.id)
    for (const [, fence] of wrongFences(other.fence)) {
      expect(store.completeUnitsIfHeld([completion(fence, 'stolen')], start)).toEqual([])
    }
    const [end] = store.completeUnitsIfHeld(
      [completion(kept.fence, 'mine'), completion({ ...other.fence, nonce: 'of another past' }, 'stolen')],
      start,
    )
    expect(end?.unitIds).toEqual([kept.unit.id])
    expect(store.readUnitPayload(other.unit.id)?.output).toBeNull()
    expect(store.readJob(job.id)?.counts).toMatchObject({ running: 1, completed: 1 })
  })

  it('a repetition changes nothing', () => {
    const { store } = open()
    const job = submit(store, newJob(1))
    const { fence } = claim(store, job.id)
    store.completeUnitsIfHeld([completion(fence, 1)], start)
    expect(store.completeUnitsIfHeld([completion(fence, 2)], start)).toEqual([])
    expect(store.readUnitPayload(fence.unitId)?.output).toBe(1)
  })

  it('the last of them settles the job, after its final step if it has one', () => {
    const { store } = open()
    const finalStep = { unitId: '01941f29-7c00-7000-9000-00000001ffff', params: {} }
    const job = submit(store, newJob(1, { finalStep }, 2))
    const claims = [claim(store, job.id), claim(store, job.id)]
    const [end] = store.completeUnitsIfHeld(
      claims.map(({ fence }) => completion(fence)),
      start,
    )
    expect(end).toMatchObject({ settled: false, job: { finalStep: 'running' } })
    const last = claim(store, job.id, { now: start + 6_000, workerId: worker.id })
    const [final] = store.completeUnitsIfHeld([completion(last.fence, 'all')], start + 7_000)
    expect(final).toMatchObject({ settled: true, job: { state: 'completed', finalStep: 'done' } })
  })

  it('tells several ends of a job in one event', () => {
    const { store } = open()
    const job = submit(store, newJob(1, {}, 3))
    const claims = [claim(store, job.id), claim(store, job.id), claim(store, job.id)]
    const before = store.lastEventId()
    store.completeUnitsIfHeld(
      claims.map(({ fence }) => completion(fence)),
      start,
    )
    expect(eventTypes(store, before)).toContain('job.completed')
    expect(store.readEvents(before, 10).every((event) => event.jobId === job.id)).toBe(true)
  })
})
