import { describe, expect, test } from 'vitest'
import type { EventMessage } from '../../../src/domain/wire/manager.ts'
import { useManager } from './manager-under-test.ts'

const manager = useManager()
const later = { run_at: '2099-01-01T00:00:00Z' }

describe('wait_for_jobs', () => {
  test('answers at the end, not at the timeout', async () => {
    const { id } = await manager.submit({ params: { argv: ['sleep', '0.3'] } })
    const answer = await manager.client.call('wait_for_jobs', { ids: [id], timeout_s: 20 })
    expect(answer).toMatchObject({ satisfied: true, jobs: [{ state: 'completed' }] })
    expect(answer.waited_s).toBeLessThan(10)
  })

  test('says that the time is up, with everything as it is', async () => {
    const { id } = await manager.submit({ params: { argv: ['true'] }, ...later })
    const answer = await manager.client.call('wait_for_jobs', { ids: [id], timeout_s: 0.05 })
    expect(answer).toMatchObject({ satisfied: false, jobs: [{ state: 'scheduled' }] })
    expect(answer.next).toMatch(/^It starts at 2099-01-01 00:00 UTC; do not wait for it\./)
  })

  test('says with which call to wait on, from where it was', async () => {
    const ended = await manager.run('true')
    const { id } = await manager.submit({ params: { argv: ['sleep', '600'] } })
    const answer = await manager.client.call('wait_for_jobs', { ids: [ended.id, id], timeout_s: 0.05 })
    const again = JSON.stringify({ ids: [id], cursor: answer.cursor })
    expect(answer.next).toBe(
      `Not yet. wait_for_jobs ${again} waits on; or do something else: the jobs go on by themselves.`,
    )
    await manager.client.call('cancel_job', { ids: [id] })
  })

  test('any_ended of several', async () => {
    const slow = await manager.submit({ params: { argv: ['true'] }, ...later })
    const fast = await manager.submit({ params: { argv: ['true'] } })
    const answer = await manager.client.call('wait_for_jobs', {
      ids: [slow.id, fast.id],
      until: 'any_ended',
      timeout_s: 20,
    })
    expect(answer.satisfied).toBe(true)
    expect(answer.jobs.map((job) => job.final)).toEqual([false, true])
  })

  test('a change between two calls is not missed thanks to the cursor', async () => {
    const { id } = await manager.submit({ params: { argv: ['true'] }, ...later })
    const { cursor } = await manager.client.call('wait_for_jobs', { ids: [id], timeout_s: 0 })
    await manager.client.call('cancel_job', { ids: [id] })
    const answer = await manager.client.call('wait_for_jobs', {
      ids: [id],
      until: 'any_changed',
      cursor,
      timeout_s: 20,
    })
    expect(answer).toMatchObject({ satisfied: true, jobs: [{ state: 'cancelled' }] })
    const quiet = await manager.client.call('wait_for_jobs', {
      ids: [id],
      until: 'any_changed',
      cursor: answer.cursor,
      timeout_s: 0.05,
    })
    expect(quiet.satisfied).toBe(false)
  })

  test('ending the call ends only the call', async () => {
    const { id } = await manager.submit({ params: { argv: ['sleep', '0.5'] } })
    const wait = manager.client.call('wait_for_jobs', { ids: [id] }, { signal: AbortSignal.timeout(50) })
    await expect(wait).rejects.toThrow()
    expect(await manager.ended(id)).toMatchObject({ state: 'completed', attempts: 1 })
  })
})

describe('whats_new', () => {
  test('shows what ended until it is acknowledged, and marks what was shown before', async () => {
    const reader = { client: 'shown' }
    const done = await manager.run('true')
    const first = await manager.client.call('whats_new', reader)
    expect(first.finished).toContainEqual(expect.objectContaining({ id: done.id, shown_before: false }))
    const again = await manager.client.call('whats_new', reader)
    expect(again.finished).toContainEqual(expect.objectContaining({ id: done.id, shown_before: true }))
    const failed = await manager.run('exit 5')
    const acknowledged = await manager.client.call('whats_new', { ...reader, acknowledge: again.cursor })
    expect(acknowledged.finished).toEqual([])
    expect(acknowledged.failed).toMatchObject([
      { id: failed.id, why: 'failed after 1 attempt: exit code 5', shown_before: false },
    ])
  })

  test('readers have marks of their own, and a cursor from the future acknowledges nothing to come', async () => {
    await manager.client.call('whats_new', { client: 'ahead', acknowledge: '9999999999' })
    const done = await manager.run('true')
    const ahead = await manager.client.call('whats_new', { client: 'ahead' })
    const other = await manager.client.call('whats_new', { client: 'other' })
    expect(ahead.finished.map((line) => line.id)).toEqual([done.id])
    expect(other.finished.length).toBeGreaterThan(1)
  })

  test('stays under 4 KB with exact counts', async () => {
    const { cursor } = await manager.client.call('whats_new', { client: 'many' })
    await manager.client.call('whats_new', { client: 'many', acknowledge: cursor })
    const name = 'a name that is quite long, as the names of things in a real night of work tend to be, says somebody'
    const ids = await Promise.all(
      Array.from({ length: 40 }, () => manager.submit({ name, params: { argv: ['true'] } })),
    )
    for (const { id } of ids) await manager.ended(id)
    let answer = await manager.client.call('whats_new', { client: 'many' })
    expect(answer.counts.finished).toBe(40)
    expect(answer.more).toBe(true)
    // Acknowledging pages on: each job is shown once, none is lost with those that did not fit.
    const shown: string[] = []
    while (answer.finished.length > 0 && shown.length < 100) {
      expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThanOrEqual(4_096)
      expect(answer.counts.finished).toBe(40 - shown.length)
      shown.push(...answer.finished.map((line) => line.id))
      answer = await manager.client.call('whats_new', { client: 'many', acknowledge: answer.cursor })
    }
    expect([...shown].sort()).toEqual(ids.map(({ id }) => id).sort())
  })
})

test('the event stream tells every change once, from where one left off', async () => {
  const { id } = await manager.submit({ params: { argv: ['true'] } })
  await manager.ended(id)
  const stop = new AbortController()
  const events: EventMessage[] = []
  const live = await manager.submit({ params: { argv: ['true'] } })
  const notices: string[] = []
  for await (const notice of manager.client.events({ after: 0, signal: stop.signal })) {
    notices.push(notice.kind)
    if (notice.kind !== 'job') continue
    const { event } = notice
    events.push(event)
    if (event.job_id === live.id && event.type === 'job.completed') break
  }
  stop.abort()
  expect(notices[0]).toBe('open')
  const ids = events.map((event) => event.id)
  expect(ids).toEqual([...new Set(ids)].sort((left, right) => left - right))
  const types = events.filter((event) => event.job_id === id).map((event) => event.type)
  expect(types[0]).toBe('job.submitted')
  expect(types.at(-1)).toBe('job.completed')
  expect(types.filter((type) => type === 'job.completed')).toHaveLength(1)
})
