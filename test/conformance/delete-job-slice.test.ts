import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import { artifact, brokenRecord, claim, facts, jobIdOf, newJob, start, submit, unitIdOf } from './support/jobs.ts'

describe.each(implementations)('$name: deleteJobSlice, readLeavingJobs', ({ open }) => {
  test('deletes a final job with everything of it, and says which attempts it had', () => {
    const { store } = open()
    submit(store, newJob(1, { name: 'kiln', labels: { batch: '7' }, params: { argv: ['unusual'] } }))
    const { fence } = claim(store, jobIdOf(1))
    store.recordArtifactsIfHeld(fence, [artifact('a.txt', 30), artifact('b.txt', 7)])
    store.completeUnitIfHeld(fence, { ok: true }, facts({ outputBytes: 500, droppedBytes: 100 }))
    const { unitId, attempt, nonce } = fence
    expect(store.deleteJobSlice(jobIdOf(1), 10)).toEqual({
      attempts: [{ unitId, attempt, nonce }],
      units: 1,
      bytes: 400 + 30 + 7 + '{"ok":true}'.length,
      done: true,
    })
    expect(store.readJob(jobIdOf(1))).toBeNull()
    expect(store.readUnits(jobIdOf(1), { limit: 5 })).toEqual([])
    expect(store.readAttempts(unitId)).toEqual([])
    expect(store.readArtifacts(jobIdOf(1), { limit: 5 })).toEqual([])
    expect(store.readUnitPayload(unitId)).toBeNull()
    expect(store.readJobPayload(jobIdOf(1))).toBeNull()
    for (const filter of [{ text: 'unusual' }, { labels: { batch: '7' } }, {}]) {
      expect(store.listJobs(filter, { limit: 5 })).toEqual([])
    }
    expect(store.readStateCounts()).toEqual({ queued: 0, running: 0, completed: 0, failed: 0, cancelled: 0 })
    expect(store.readEvents(0, 100).at(-1)).toMatchObject({ type: 'job.deleted', jobId: jobIdOf(1) })
    expect(store.deleteJobSlice(jobIdOf(1), 10)).toBeNull()
  })

  test('counts the files of attempts that were tried again, and checkpoints that nobody took up', () => {
    const { store } = open()
    submit(store, newJob(1, { maxAttempts: 2 }))
    for (const bytes of [10, 5]) {
      const { fence } = claim(store, jobIdOf(1))
      store.recordArtifactsIfHeld(fence, [artifact('a.txt', bytes)])
      store.recordCheckpointIfHeld(fence, { state: { at: 9 }, format: 'pages/1' })
      store.failUnitIfHeld(fence, 'failed', start, {}, facts({ outputBytes: 0, error: brokenRecord }))
    }
    const payload = '{}'.length + '{"at":9}'.length
    expect(store.deleteJobSlice(jobIdOf(1), 10)?.bytes).toBe(15 + payload)
  })

  test('the idempotency key stays: the job is not made again', () => {
    const { store } = open()
    submit(store, newJob(1))
    store.completeUnitIfHeld(claim(store, jobIdOf(1)).fence, null, facts())
    store.deleteJobSlice(jobIdOf(1), 10)
    expect(store.submitJob(newJob(1))).toMatchObject({ kind: 'existing_pruned', jobId: jobIdOf(1) })
  })

  test('never an unfinished job, nor an unknown one', () => {
    const { store } = open()
    submit(store, newJob(1))
    submit(store, newJob(2))
    claim(store, jobIdOf(2))
    for (const number of [1, 2, 3]) expect(store.deleteJobSlice(jobIdOf(number), 10)).toBeNull()
    expect(store.listJobs({}, { limit: 5 }).map((job) => job.state)).toEqual(['running', 'queued'])
    expect(store.readUnits(jobIdOf(1), { limit: 5 })).toHaveLength(1)
    expect(store.readLeavingJobs(5)).toEqual([])
  })

  test('a large job goes in slices, the job with the last of them; between them it is known as leaving', () => {
    const { store } = open()
    submit(store, newJob(1, {}, 5))
    submit(store, newJob(2, {}, 1))
    store.requestCancel(jobIdOf(1), 'user', start)
    expect(store.deleteJobSlice(jobIdOf(1), 2)).toMatchObject({ units: 2, attempts: [], done: false })
    expect(store.readLeavingJobs(5)).toEqual([jobIdOf(1)])
    expect(store.readUnits(jobIdOf(1), { limit: 9 }).map((unit) => unit.id)).toEqual(
      [2, 3, 4].map((at) => unitIdOf(1, at)),
    )
    expect(store.readJob(jobIdOf(1))).not.toBeNull()
    expect(store.deleteJobSlice(jobIdOf(1), 2)).toMatchObject({ units: 2, done: false })
    expect(store.deleteJobSlice(jobIdOf(1), 2)).toMatchObject({ units: 1, done: true })
    expect(store.readJob(jobIdOf(1))).toBeNull()
    expect(store.readLeavingJobs(5)).toEqual([])
    expect(store.readUnits(jobIdOf(2), { limit: 9 })).toHaveLength(1)
  })
})
