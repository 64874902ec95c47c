import { Agent, request } from 'undici'
import { describe, expect, test } from 'vitest'
import { readManagerFile } from '../../../src/client/manager-file.ts'
import { statePaths } from '../../../src/config/paths.ts'
import { useManager } from './manager-under-test.ts'

const manager = useManager()

async function raw(path: string, body: string, method: 'POST' | 'GET' = 'POST') {
  const socket = readManagerFile(statePaths(manager.home).managerFile)?.socket ?? ''
  const agent = new Agent({ connect: { socketPath: socket } })
  try {
    const answer = await request(`http://manager${path}`, {
      method,
      dispatcher: agent,
      ...(method === 'POST' ? { body } : {}),
    })
    return {
      status: answer.statusCode,
      type: answer.headers['content-type'],
      problem: (await answer.body.json()) as Record<string, unknown>,
    }
  } finally {
    await agent.destroy()
  }
}

function deep(levels: number): string {
  return `{"params":{"x":${'['.repeat(levels)}${']'.repeat(levels)}}}`
}

describe('errors are problem documents without an inside', () => {
  test.each([
    ['not JSON', '/v1/job_status', '{', 400, 'invalid_input'],
    ['wrong types', '/v1/job_status', '{"ids":"x"}', 400, 'invalid_input'],
    ['an unknown operation', '/v1/drop_tables', '{}', 400, 'invalid_input'],
    ['a key of Object.prototype', '/v1/__proto__', '{}', 400, 'invalid_input'],
    ['a body nested 20,000 deep', '/v1/submit_job', deep(20_000), 400, 'invalid_input'],
    ['a label that cannot be kept', '/v1/list_jobs', '{"labels":{"__proto__":"x"}}', 400, 'invalid_input'],
    ['an unknown job', '/v1/job_status', '{"ids":["01a20000-0000-7000-8000-000000000000"]}', 404, 'job_not_found'],
  ])('%s', async (_what, path, body, status, code) => {
    const answer = await raw(path, body)
    expect(answer.status).toBe(status)
    expect(answer.type).toBe('application/problem+json')
    expect(answer.problem).toMatchObject({ code, status, remedy: expect.any(String), detail: expect.any(String) })
    expect(JSON.stringify(answer.problem)).not.toMatch(/\bat .*\.(js|ts):\d+/)
  })

  test.each(['__proto__', 'constructor', 'prototype'])(
    'a label or variable named %s is refused, not dropped',
    async (key) => {
      const submit = (more: object) =>
        JSON.stringify({
          type: 'command',
          idempotency_key: `reserved-${key}`,
          context: { environment: {}, cwd: manager.home, submitted_by: 'test' },
          run_at: '2099-01-01T00:00:00Z',
          params: { argv: ['true'] },
          ...more,
        }).replaceAll('KEY', key)
      for (const more of [{ labels: { KEY: 'x' } }, { params: { argv: ['true'], env: { KEY: 'x' } } }]) {
        const answer = await raw('/v1/submit_job', submit(more))
        expect(answer.problem).toMatchObject({ code: 'invalid_input', detail: expect.stringContaining(key) })
      }
      expect(await raw('/v1/submit_job', submit({ labels: { kept: 'x' } }))).toMatchObject({ status: 200 })
    },
  )

  test('a body over the limit', async () => {
    const answer = await raw('/v1/submit_job', `{"x":"${'y'.repeat(17 * 1024 * 1024)}"}`)
    expect(answer).toMatchObject({ status: 429, problem: { code: 'limit_exceeded' } })
  })

  test('nothing at another path', async () => {
    expect(await raw('/', '', 'GET')).toMatchObject({ status: 404 })
  })
})

test('the handshake says who answers', async () => {
  const { handshake } = await manager.client.connect()
  const file = readManagerFile(statePaths(manager.home).managerFile)
  expect(handshake).toMatchObject({ pid: file?.pid, epoch: 1, instance_id: file?.instance_id, state: 'leading' })
})

test('list_job_types has a schema and an example that can be submitted', async () => {
  const { types } = await manager.client.call('list_job_types', { type: 'command' })
  const command = types.find((type) => type.type === 'command')
  expect(command?.params_schema).toMatchObject({ type: 'object', properties: { argv: { type: 'array' } } })
  const { id } = await manager.submit({
    ...(command?.example as { params: Record<string, never> }),
    run_at: '2099-01-01T00:00:00Z',
  })
  expect(id).toMatch(/^[0-9a-f-]{36}$/)
})
