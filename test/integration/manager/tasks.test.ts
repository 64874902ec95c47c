import { describe, expect, test } from 'vitest'
import { facts, jobIdOf, start, unitIdOf } from '../../conformance/support/jobs.ts'
import { openTasks } from './tasks-under-test.ts'

const iso = (ms: number) => new Date(ms).toISOString()
const submitted = { id: jobIdOf(1), existing: false, submitted_at: iso(start), notes: ['one'] }

describe('create_task', () => {
  test('answers once it is kept, and nothing is kept of one whose commit failed', async () => {
    const under = openTasks()
    under.submit(1)
    under.faults.beforeCommit = true
    await expect(under.create(1, [1])).rejects.toMatchObject({ code: 'outcome_unknown' })
    under.faults.beforeCommit = false
    await expect(under.get(1)).rejects.toMatchObject({ code: 'task_not_found' })
    expect(await under.create(1, [1], { tool: 'submit_job', submitted })).toEqual({
      tool: 'submit_job',
      ids: [jobIdOf(1)],
      status: 'working',
      why: 'starts next',
      created_at: iso(start),
      updated_at: iso(start),
      poll_interval_ms: 1_000,
      questions: [],
      submitted,
      outcome: null,
    })
  })

  test('a wait that is satisfied is completed at once', async () => {
    const under = openTasks()
    under.submit(1)
    under.end(1)
    expect(await under.create(1, [1])).toMatchObject({
      status: 'completed',
      why: 'completed in 0 ms',
      outcome: { satisfied: true, jobs: [{ id: jobIdOf(1), state: 'completed', result: { number: 1 } }], waited_s: 0 },
    })
  })

  test('repeated, it is the same task; the id for anything else is a conflict that tells nothing', async () => {
    const under = openTasks()
    under.submit(1)
    under.submit(2)
    await under.create(1, [1])
    under.clock.advance(5_000)
    under.start(1)
    expect(await under.create(1, [1, 1])).toMatchObject({ created_at: iso(start), ids: [jobIdOf(1)] })
    const others = [() => under.create(1, [2]), () => under.create(1, [1], { principal: 'mallory' })]
    for (const attempt of others) {
      await expect(attempt()).rejects.toMatchObject({
        code: 'idempotency_conflict',
        message: 'this task id was used before, for something else',
        details: {},
      })
    }
  })

  test('unknown ids are missing in the answer; without a known one there is no task', async () => {
    const under = openTasks()
    await expect(under.create(1, [8, 9])).rejects.toMatchObject({ code: 'job_not_found' })
    under.submit(1)
    under.end(1)
    expect(await under.create(1, [1, 9])).toMatchObject({ outcome: { missing: [jobIdOf(9)] } })
  })
})

describe('get_task', () => {
  test('is the business of its principal alone', async () => {
    const under = openTasks()
    under.submit(1)
    await under.create(1, [1], { principal: 'ada' })
    const others = [
      () => under.get(1),
      () => under.get(1, 'eve'),
      () => under.cancel(1, 'eve'),
      () => under.decide(1, {}, 'eve'),
      () => under.get(2, 'ada'),
    ]
    for (const attempt of others) {
      await expect(attempt()).rejects.toMatchObject({ code: 'task_not_found', message: 'there is no such task' })
    }
    expect(await under.get(1, 'ada')).toMatchObject({ status: 'working' })
  })

  test('tells how far its job is, and when something changed last', async () => {
    const under = openTasks()
    under.submit(1)
    await under.create(1, [1])
    under.clock.advance(2_000)
    under.start(1)
    under.percents.set(unitIdOf(1, 0), 42)
    under.clock.advance(3_000)
    expect(await under.get(1)).toMatchObject({
      status: 'working',
      why: 'running for 3 s, 42 %',
      updated_at: iso(start + 2_000),
    })
  })

  test('tells how many of several have ended', async () => {
    const under = openTasks()
    for (const number of [1, 2, 3]) under.submit(number)
    await under.create(1, [1, 2, 3])
    under.end(2)
    expect(await under.get(1)).toMatchObject({ status: 'working', why: '1 of 3 jobs have ended' })
  })

  test.each([
    ['all_ended', [false, false, true]],
    ['any_ended', [false, true, true]],
    ['any_changed', [true, true, true]],
  ] as const)('%s', async (until, expected) => {
    const under = openTasks()
    under.submit(1)
    under.submit(2)
    await under.create(1, [1, 2], { until })
    const { fence } = under.start(1)
    const seen: boolean[] = []
    const look = async () => {
      // Each a task of its own, so that none has kept what it saw before.
      const task = await under.create(10 + seen.length, [1, 2], { until, cursor: '2' })
      seen.push(task.status === 'completed')
    }
    await look()
    under.end(2)
    await look()
    under.store.completeUnitIfHeld(fence, null, facts({ now: start }))
    await look()
    expect(seen).toEqual(expected)
    expect(await under.get(1)).toMatchObject({ status: 'completed', outcome: { satisfied: true } })
  })

  test('an ended task answers the same for ever, whatever becomes of its jobs', async () => {
    const under = openTasks()
    under.submit(1)
    under.submit(2)
    await under.create(1, [1, 2], { until: 'any_ended' })
    under.end(1)
    under.clock.advance(4_000)
    const first = await under.get(1)
    expect(first).toMatchObject({ updated_at: iso(start + 4_000), outcome: { waited_s: 4 } })
    expect(first.outcome?.jobs.map(({ state }) => state)).toEqual(['completed', 'queued'])
    under.clock.advance(60_000)
    under.end(2)
    under.delete(1)
    expect(await under.get(1)).toEqual({ ...first, poll_interval_ms: 3_000 })
  })

  test('it is gone with the last of its jobs', async () => {
    const under = openTasks()
    under.submit(1)
    under.end(1)
    await under.create(1, [1])
    under.delete(1)
    await expect(under.get(1)).rejects.toMatchObject({ code: 'task_not_found' })
  })

  test('a job that ended and was deleted before anybody looked has ended', async () => {
    const under = openTasks()
    under.submit(1)
    under.submit(2)
    await under.create(1, [1, 2], { until: 'any_ended' })
    under.end(1)
    under.delete(1)
    expect(await under.get(1)).toMatchObject({
      status: 'completed',
      outcome: { satisfied: true, jobs: [{ id: jobIdOf(2) }], missing: [jobIdOf(1)] },
    })
  })

  test('a wait for a change ends when nothing can change any more', async () => {
    const under = openTasks()
    under.submit(1)
    under.end(1)
    expect(await under.create(1, [1], { until: 'any_changed' })).toMatchObject({
      status: 'completed',
      outcome: { satisfied: false },
    })
  })

  test('a cursor from the future waits for the next change and not for ever', async () => {
    const under = openTasks()
    under.submit(1)
    expect(await under.create(1, [1], { until: 'any_changed', cursor: '999999' })).toMatchObject({ status: 'working' })
    under.start(1)
    expect(await under.get(1)).toMatchObject({ status: 'completed', outcome: { satisfied: true } })
  })

  test('is asked for less often as time goes by', async () => {
    const under = openTasks()
    under.submit(1)
    await under.create(1, [1])
    const intervals: number[] = []
    for (const ms of [29_999, 1, 569_999, 1, -3_600_000]) {
      under.clock.jump(ms)
      intervals.push((await under.get(1)).poll_interval_ms)
    }
    expect(intervals).toEqual([1_000, 3_000, 3_000, 10_000, 1_000])
  })
})
