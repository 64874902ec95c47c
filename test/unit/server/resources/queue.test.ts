import { ResourceNotFoundError } from '@modelcontextprotocol/server'
import { expect, test } from 'vitest'
import type { ListJobTypesAnswer, QueueStatusAnswer } from '../../../../src/domain/wire/jobs.ts'
import { queueResources } from '../../../../src/server/resources/queue-resources.ts'
import { line, nthId } from './answers.ts'
import { caller, contentIn, context, fakeManager } from './fake-manager.ts'

const status: QueueStatusAnswer = {
  manager: {
    version: '1.0.0',
    pid: 1,
    epoch: 1,
    started_at: '2030-01-01T00:00:00.000Z',
    uptime_s: 5,
    state_directory: '/state',
    state: 'leading',
    rss_bytes: 1,
  },
  slots: { total: 2, busy: 0 },
  threads: { total: 2, busy: 0, hosts: [] },
  gpu_workers: [],
  queues: [],
  schedules: { enabled: 0, next_run_at: null },
  pruned: [],
  jobs: { queued: 0, running: 0, completed: 0, failed: 0, cancelled: 0 },
  last_24h: { submitted: 0, completed: 0, failed: 0, cancelled: 0 },
  running: [],
  storage: { healthy: true, free_bytes: 1, floor_bytes: 1, accepting_jobs: true },
  warnings: [],
  next: 'submit_job',
}

function types(count: number, schemaCharacters: number): ListJobTypesAnswer {
  const schema = { type: 'object', description: 's'.repeat(schemaCharacters) }
  return {
    types: Array.from({ length: count }, (_, n) => ({
      type: `type-${n}`,
      title: 'A type',
      description: 'Does something',
      executor: 'thread',
      source: 'built-in',
      example: { type: `type-${n}`, params: {} },
      params_schema: schema,
      unit_schema: null,
      result_schema: schema,
    })),
    unavailable: [],
    next: 'submit_job with one of these types.',
  }
}

async function textAt(host: ReturnType<typeof fakeManager>['host'], uri: string): Promise<string> {
  const content = contentIn(await queueResources(host).read(uri, context, caller))
  expect(content).toMatchObject({ uri, mimeType: 'application/json' })
  return content.text ?? ''
}

test('are always listed, without anybody being asked', async () => {
  const manager = fakeManager({})
  const listed = await queueResources(manager.host).list(context, caller)
  expect(listed.map(({ uri }) => uri)).toEqual(['queue://status', 'queue://types'])
  expect(manager.seen).toEqual([])
})

test('queue://status is what queue_status answers, bounded', async () => {
  expect(JSON.parse(await textAt(fakeManager({ queue_status: status }).host, 'queue://status'))).toEqual(status)
  const running = Array.from({ length: 500 }, (_, n) => line({ id: nthId(n), why: 'w'.repeat(500) }))
  const text = await textAt(fakeManager({ queue_status: { ...status, running } }).host, 'queue://status')
  expect(text.length).toBeLessThanOrEqual(20_000)
  expect(JSON.parse(text)).toMatchObject({ next: expect.stringContaining('list_jobs {"states":["running"]}') })
})

test('queue://types has every type with its schemas', async () => {
  const manager = fakeManager({ list_job_types: types(2, 10) })
  expect(JSON.parse(await textAt(manager.host, 'queue://types'))).toEqual(types(2, 10))
  expect(manager.seen).toEqual(['list_job_types {"detail":"full"}'])
})

test.each([
  [10, 1_500],
  [10, 8_000],
  [300, 8_000],
])('queue://types of %i types with schemas of %i characters fits', async (count, characters) => {
  const text = await textAt(fakeManager({ list_job_types: types(count, characters) }).host, 'queue://types')
  expect(text.length).toBeLessThanOrEqual(20_000)
  const answer = JSON.parse(text) as ListJobTypesAnswer
  expect(answer.types.length).toBe(count === 10 ? 10 : answer.types.length)
  expect(answer.next).toContain('list_job_types {"type":"type-0"}')
})

test('other URIs of the scheme are not found', async () => {
  const { host } = fakeManager({})
  await expect(queueResources(host).read('queue://jobs', context, caller)).rejects.toThrow(ResourceNotFoundError)
  await expect(queueResources(host).read('queue://jobs', context, caller)).rejects.toThrow(/queue:\/\/status and queue/)
  expect(await queueResources(host).read('job://x', context, caller)).toBeNull()
})
