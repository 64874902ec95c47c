import { expect, test } from 'vitest'
import { deleteRequest } from '../../../src/domain/wire/history.ts'
import { deleteJobs } from '../../../src/manager/services/delete-jobs.ts'
import { claim, jobIdOf, newJob, start, submit } from '../../conformance/support/jobs.ts'
import { openHistory } from './history-under-test.ts'

const call = (history: ReturnType<typeof openHistory>, request: Record<string, unknown>) =>
  deleteJobs(history.context, deleteRequest.parse(request))

test('by filter: finished ones go with their files, unfinished ones are kept and said', async () => {
  const history = openHistory()
  const { store, complete, ids, removed } = history
  complete(1, start, { labels: { batch: '7' } })
  complete(2, start, { labels: { batch: '8' } })
  submit(store, newJob(3, { labels: { batch: '7' } }))
  submit(store, newJob(4, { labels: { batch: '7' } }))
  claim(store, jobIdOf(4))
  const answer = await call(history, { filter: { labels: { batch: '7' } } })
  expect(answer).toMatchObject({ deleted: 1, ids: [jobIdOf(1)], dry_run: false, has_more: false })
  expect(answer.freed_bytes).toBeGreaterThan(20)
  expect(answer.kept).toEqual([
    { id: jobIdOf(4), why: 'it is running; only finished jobs are deleted' },
    { id: jobIdOf(3), why: 'it is queued; only finished jobs are deleted' },
  ])
  expect(ids()).toEqual([4, 3, 2])
  expect(removed).toHaveLength(1)
})

test('by id: each that stays is explained; none known is an error', async () => {
  const history = openHistory()
  const { store, complete, ids } = history
  complete(1, start)
  submit(store, newJob(2))
  const answer = await call(history, { ids: [jobIdOf(1), jobIdOf(1), jobIdOf(2), jobIdOf(3)] })
  expect(answer).toMatchObject({ deleted: 1, ids: [jobIdOf(1)] })
  expect(answer.kept.map((kept) => kept.id)).toEqual([jobIdOf(2), jobIdOf(3)])
  expect(ids()).toEqual([2])
  await expect(call(history, { ids: [jobIdOf(3)] })).rejects.toMatchObject({ code: 'job_not_found' })
})

test('a dry run says what would go and how much, and deletes nothing', async () => {
  const history = openHistory()
  history.complete(1, start, {}, 1_000)
  const request = { filter: { states: ['finished'] } }
  const dry = await call(history, { ...request, dry_run: true })
  expect(dry).toMatchObject({ deleted: 1, ids: [jobIdOf(1)], dry_run: true })
  expect(history.ids()).toEqual([1])
  const real = await call(history, request)
  expect(real.freed_bytes).toBe(dry.freed_bytes)
  expect(history.ids()).toEqual([])
})

test('at most 500 a call; the same call again goes on', async () => {
  const history = openHistory()
  const { store, ids } = history
  store.atomically(() => {
    for (let number = 1; number <= 520; number += 1) {
      submit(store, newJob(number))
      store.requestCancel(jobIdOf(number), 'user', start)
    }
  })
  const first = await call(history, { filter: { states: ['cancelled'] } })
  expect(first).toMatchObject({ deleted: 500, has_more: true })
  expect(first.ids).toHaveLength(50)
  expect(first.next).toContain('More match: delete_jobs {"filter":{')
  expect(await call(history, { filter: { states: ['cancelled'] } })).toMatchObject({ deleted: 20, has_more: false })
  expect(ids()).toEqual([])
})

test('neither, both, or an empty filter is refused', async () => {
  const history = openHistory()
  history.complete(1, start)
  for (const request of [{}, { filter: {} }, { ids: [jobIdOf(1)], filter: { type: 'command' } }]) {
    await expect(call(history, request)).rejects.toMatchObject({ code: 'invalid_input' })
  }
  expect(history.ids()).toEqual([1])
})
