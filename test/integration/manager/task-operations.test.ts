import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { ManagerNotice } from '../../../src/client/manager-client.ts'
import { statePaths } from '../../../src/config/paths.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { handlerSource } from '../handler-files/handler-directory.ts'
import { useManager } from './manager-under-test.ts'

const manager = useManager()
const { client } = manager
const newName = () => ({ task_id: randomBytes(16).toString('hex'), principal: 'local' })

test('the next manager answers the same task, and what it answered once', async () => {
  const { job, next, ...submitted } = await manager.submit({ params: { shell: true, script: 'sleep 0.3; echo done' } })
  const name = newName()
  const made = await client.call('create_task', { ...name, tool: 'submit_job', ids: [submitted.id], submitted })
  expect(made).toMatchObject({ status: 'working', submitted, outcome: null })
  await client.call('stop_manager', {})
  const ended = await waitUntil(
    async () => {
      const task = await client.call('get_task', name)
      return task.status === 'completed' ? task : false
    },
    { what: 'the task to be completed' },
  )
  expect(ended).toMatchObject({ submitted, outcome: { satisfied: true, jobs: [{ id: job.id, state: 'completed' }] } })
  await client.call('stop_manager', {})
  expect(await client.call('get_task', name)).toEqual(ended)
  expect(await client.call('cancel_task', name)).toEqual({ ...ended, cancelled_jobs: [] })
  expect(next).toContain('wait_for_jobs')
})

test('cancelling the task of a submit stops its command', async () => {
  const { id } = await manager.submit({ params: { argv: ['sleep', '600'] } })
  const name = newName()
  await client.call('create_task', { ...name, tool: 'submit_job', ids: [id] })
  expect(await client.call('cancel_task', name)).toMatchObject({ status: 'cancelled', cancelled_jobs: [id] })
  expect(await manager.ended(id)).toMatchObject({ state: 'cancelled' })
})

test('a held job asks, and goes on when its task is answered', async () => {
  const { id } = await manager.submit({ type: 'noop', params: {}, units: [1, 2, 3], test_first: 1 })
  const name = newName()
  await client.call('create_task', { ...name, tool: 'submit_job', ids: [id] })
  const asking = await waitUntil(
    async () => {
      const task = await client.call('get_task', name)
      return task.status === 'input_required' ? task : false
    },
    { what: 'the question' },
  )
  const [question] = asking.questions
  expect(question?.job_id).toBe(id)
  await client.call('decide_task', { ...name, decisions: { [question?.key ?? '']: 'approve' } })
  expect(await manager.ended(id)).toMatchObject({ state: 'completed', counts: { completed: 3 } })
  expect(await client.call('get_task', name)).toMatchObject({ status: 'completed' })
})

test('whoever listens hears of some jobs, of new ones and of changed job types', async () => {
  const quiet = await manager.submit({ params: { argv: ['true'] }, run_at: '2099-01-01T00:00:00Z' })
  const stop = new AbortController()
  const heard: ManagerNotice[] = []
  const listening = (async () => {
    for await (const notice of client.events({ jobIds: [quiet.id], signal: stop.signal })) heard.push(notice)
  })().catch(() => undefined)
  const events = () => heard.flatMap((notice) => (notice.kind === 'job' ? [notice.event] : []))
  await waitUntil(() => heard.length > 0, { what: 'the stream to be open' })
  expect(heard).toEqual([{ kind: 'open' }])

  const other = await manager.run('true')
  const directory = statePaths(manager.home).handlers
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  writeFileSync(join(directory, 'one.mjs'), handlerSource('one'))
  await client.call('list_job_types', {})
  await waitUntil(() => heard.some(({ kind }) => kind === 'job_types'), { what: 'the change of the job types' })
  await client.call('cancel_job', { ids: [quiet.id] })
  await waitUntil(() => events().some(({ type }) => type === 'job.cancelled'), { what: 'the end of the job' })
  stop.abort()
  await listening
  expect(events().filter(({ job_id }) => job_id === other.id)).toMatchObject([{ type: 'job.submitted' }])
  expect(new Set(events().map(({ job_id }) => job_id))).toEqual(new Set([other.id, quiet.id]))
})
