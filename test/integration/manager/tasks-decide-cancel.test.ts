import { describe, expect, test } from 'vitest'
import { jobIdOf, start, unitIdOf } from '../../conformance/support/jobs.ts'
import { openTasks } from './tasks-under-test.ts'

const keyOf = (number: number, at = start) => `approve-${jobIdOf(number)}-${at}`

describe('questions', () => {
  test('are asked once everything unfinished is held for review', async () => {
    const under = openTasks()
    for (const number of [1, 2, 3]) under.submit(number)
    await under.create(1, [1, 2, 3])
    under.hold(1, 'review')
    under.hold(3, 'review', start + 5)
    expect(await under.get(1)).toMatchObject({ status: 'working', questions: [] })
    under.end(2)
    expect(await under.get(1)).toMatchObject({
      status: 'input_required',
      why: '1 of 3 jobs have ended; the others wait for approval',
      questions: [
        { key: keyOf(1), job_id: jobIdOf(1) },
        { key: keyOf(3, start + 5), job_id: jobIdOf(3) },
      ],
    })
  })

  test('never of a hold of another kind, nor of a job that is being cancelled', async () => {
    const under = openTasks()
    under.submit(1)
    under.submit(2)
    await under.create(1, [1])
    await under.create(2, [1, 2])
    under.hold(1, 'permission')
    under.hold(2, 'review')
    expect(await under.get(1)).toMatchObject({
      status: 'working',
      questions: [],
      why: expect.stringMatching(/permiss/),
    })
    expect(await under.get(2)).toMatchObject({ status: 'working', questions: [] })
    await under.decide(1, { [keyOf(1)]: 'approve' })
    expect(under.store.readJob(jobIdOf(1))).toMatchObject({ holdKind: 'permission', decision: null })
  })
})

describe('decide_task', () => {
  test('approves and rejects, in the name of the person', async () => {
    const under = openTasks()
    under.submit(1)
    under.submit(2)
    under.hold(1, 'review')
    under.hold(2, 'review')
    await under.create(1, [1, 2])
    const after = await under.decide(1, { [keyOf(1)]: 'approve', [keyOf(2)]: 'reject' })
    expect(after).toMatchObject({ status: 'working', why: '1 of 2 jobs have ended', questions: [] })
    expect(under.store.readJob(jobIdOf(1))).toMatchObject({ decision: 'approved', heldAt: null, state: 'queued' })
    expect(under.store.readJob(jobIdOf(2))).toMatchObject({ state: 'cancelled', cancelReason: 'rejected' })
    expect(under.store.readEvents(0, 100).map(({ type, data }) => [type, data])).toContainEqual([
      'job.approved',
      { by: 'ann' },
    ])
  })

  test('a rejected job completes the task', async () => {
    const under = openTasks()
    under.submit(1)
    under.hold(1, 'review')
    await under.create(1, [1])
    expect(await under.decide(1, { [keyOf(1)]: 'reject' })).toMatchObject({
      status: 'completed',
      outcome: { satisfied: true, jobs: [{ state: 'cancelled' }] },
    })
  })

  test('unknown and answered keys, and those of other jobs, change nothing', async () => {
    const under = openTasks()
    under.submit(1)
    under.submit(2)
    under.hold(1, 'review')
    under.hold(2, 'review')
    await under.create(1, [1])
    const keys = [keyOf(2), keyOf(1, start + 1), `approve-${jobIdOf(1)}`, 'toString', '__proto__', '']
    const decisions = Object.fromEntries(keys.map((key) => [key, 'reject' as const]))
    expect(await under.decide(1, decisions)).toMatchObject({ status: 'input_required' })
    expect(await under.decide(1, { [keyOf(1)]: 'approve' })).toMatchObject({ status: 'working' })
    expect(await under.decide(1, { [keyOf(1)]: 'reject' })).toMatchObject({ status: 'working' })
    expect(under.store.readJob(jobIdOf(1))).toMatchObject({ decision: 'approved', cancelRequestedAt: null })
    expect(under.store.readJob(jobIdOf(2))).toMatchObject({ decision: null })
  })

  test('an answer that comes while another job of the task runs again still counts', async () => {
    const under = openTasks()
    under.submit(1)
    under.submit(2)
    under.hold(1, 'review')
    under.hold(2, 'review')
    await under.create(1, [1, 2])
    await under.decide(1, { [keyOf(1)]: 'approve' })
    await under.decide(1, { [keyOf(2)]: 'approve' })
    expect(under.store.readJob(jobIdOf(2))).toMatchObject({ decision: 'approved' })
  })

  test('decides nothing for a task that has ended', async () => {
    const under = openTasks()
    under.submit(1)
    under.hold(1, 'review')
    await under.create(1, [1])
    await under.cancel(1)
    expect(await under.decide(1, { [keyOf(1)]: 'reject' })).toMatchObject({ status: 'cancelled' })
    expect(under.store.readJob(jobIdOf(1))).toMatchObject({ decision: null, heldAt: start })
  })
})

describe('cancel_task', () => {
  test('a wait ends; its jobs go on', async () => {
    const under = openTasks()
    under.submit(1)
    under.start(1)
    await under.create(1, [1])
    under.clock.advance(1_000)
    const cancelled = await under.cancel(1)
    expect(cancelled).toMatchObject({
      status: 'cancelled',
      why: 'the wait was cancelled; its jobs go on',
      updated_at: new Date(start + 1_000).toISOString(),
      outcome: null,
      cancelled_jobs: [],
    })
    expect(under.store.readJob(jobIdOf(1))).toMatchObject({ state: 'running', cancelRequestedAt: null })
    under.clock.advance(1_000)
    expect(await under.cancel(1)).toEqual(cancelled)
    expect(under.stopped).toEqual([])
  })

  test('of a submit cancels its jobs too, waiting and running, and stops what runs', async () => {
    const under = openTasks()
    for (const number of [1, 2, 3]) under.submit(number)
    under.start(1)
    under.end(3)
    await under.create(1, [1, 2, 3], { tool: 'submit_job' })
    expect(await under.cancel(1)).toMatchObject({
      status: 'cancelled',
      why: 'cancelled, and its job with it',
      cancelled_jobs: [jobIdOf(1), jobIdOf(2)],
    })
    expect(under.stopped).toEqual([unitIdOf(1, 0)])
    expect(under.store.readJob(jobIdOf(1))).toMatchObject({ state: 'running', cancelReason: 'user' })
    expect(under.store.readJob(jobIdOf(2))).toMatchObject({ state: 'cancelled' })
    expect(await under.cancel(1)).toMatchObject({ status: 'cancelled', cancelled_jobs: [jobIdOf(1)] })
  })

  test('wait and jobs are cancelled together or not at all', async () => {
    const under = openTasks()
    under.submit(1)
    await under.create(1, [1], { tool: 'submit_job' })
    under.faults.beforeCommit = true
    await expect(under.cancel(1)).rejects.toMatchObject({ code: 'outcome_unknown' })
    under.faults.beforeCommit = false
    expect(under.store.readJob(jobIdOf(1))).toMatchObject({ state: 'queued', cancelRequestedAt: null })
    expect(await under.get(1)).toMatchObject({ status: 'working' })
    expect(await under.cancel(1)).toMatchObject({ status: 'cancelled', cancelled_jobs: [jobIdOf(1)] })
  })

  test('does nothing to a task whose end came first, even unseen', async () => {
    const under = openTasks()
    under.submit(1)
    under.submit(2)
    await under.create(1, [1, 2], { tool: 'submit_job', until: 'any_ended' })
    under.end(1)
    const ended = await under.cancel(1)
    expect(ended).toMatchObject({ status: 'completed', outcome: { satisfied: true }, cancelled_jobs: [] })
    expect(await under.cancel(1)).toEqual(ended)
    expect(under.store.readJob(jobIdOf(2))).toMatchObject({ state: 'queued', cancelRequestedAt: null })
  })

  test('a cancelled task stays cancelled when its jobs end', async () => {
    const under = openTasks()
    under.submit(1)
    await under.create(1, [1])
    await under.cancel(1)
    under.end(1)
    expect(await under.get(1)).toMatchObject({ status: 'cancelled', outcome: null })
  })
})
