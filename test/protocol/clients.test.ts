import { Client as ModernClient, type VersionNegotiationMode } from '@modelcontextprotocol/client'
import { StdioClientTransport as ModernStdioTransport } from '@modelcontextprotocol/client/stdio'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as OldStdioTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { expect, onTestFinished, test } from 'vitest'
import { type TemporaryHome, useTemporaryHome } from '../support/temporary-home.ts'
import { frontEndCommand } from './support/front-end.ts'

interface Answer {
  readonly isError?: boolean | undefined
  readonly structuredContent?: Record<string, unknown> | undefined
  readonly content: readonly { readonly type: string; readonly text?: string }[]
}

/** What every client library can do, however it spells it. */
interface AnyClient {
  listTools(): Promise<readonly string[]>
  callTool(name: string, input: Record<string, unknown>): Promise<Answer>
  protocolVersion(): string | undefined
}

type Connect = (home: TemporaryHome) => Promise<AnyClient>

const [command, ...args] = frontEndCommand
const identity = { name: 'protocol-test', version: '1.0.0' }

const connectOld: Connect = async (home) => {
  const transport = new OldStdioTransport({ command, args, env: { ...home.environment } })
  const client = new OldClient(identity)
  await client.connect(transport)
  home.ledger.add(transport.pid ?? undefined)
  onTestFinished(() => client.close())
  return {
    listTools: async () => (await client.listTools()).tools.map(({ name }) => name),
    callTool: async (name, input) => (await client.callTool({ name, arguments: input })) as Answer,
    protocolVersion: () => undefined,
  }
}

function connectNew(mode: VersionNegotiationMode): Connect {
  return async (home) => {
    const transport = new ModernStdioTransport({ command, args, env: { ...home.environment } })
    const client = new ModernClient(identity, { versionNegotiation: { mode } })
    await client.connect(transport)
    home.ledger.add(transport.pid ?? undefined)
    onTestFinished(() => client.close())
    return {
      listTools: async () => (await client.listTools()).tools.map(({ name }) => name),
      callTool: async (name, input) => (await client.callTool({ name, arguments: input })) as Answer,
      protocolVersion: () => client.getNegotiatedProtocolVersion(),
    }
  }
}

const clients: readonly [string, Connect, string | undefined][] = [
  ['SDK v1', connectOld, undefined],
  ['SDK v2 legacy', connectNew('legacy'), '2025-11-25'],
  ['SDK v2 auto', connectNew('auto'), '2026-07-28'],
  ['SDK v2 pinned to 2026-07-28', connectNew({ pin: '2026-07-28' }), '2026-07-28'],
]

/** @returns the structured answer; text and structure must say the same. */
async function call(client: AnyClient, name: string, input: Record<string, unknown>): Promise<Record<string, unknown>> {
  const answer = await client.callTool(name, input)
  expect(answer.isError ?? false, answer.content[0]?.text).toBe(false)
  expect(answer.content).toHaveLength(1)
  expect(answer.content[0]?.text).toBe(JSON.stringify(answer.structuredContent))
  return answer.structuredContent ?? {}
}

test.each(clients)('%s lists the tools and takes a job to its result', async (_name, connect, version) => {
  const home = useTemporaryHome()
  const client = await connect(home)
  expect(client.protocolVersion()).toBe(version)
  expect(await client.listTools()).toHaveLength(23)

  const submitted = await call(client, 'submit_job', {
    params: { argv: ['sh', '-c', 'echo out; echo err >&2; exit 0'], cwd: home.home },
    name: 'Two lines',
    idempotency_key: 'two-lines',
  })
  expect(submitted).toMatchObject({ existing: false, job: { name: 'Two lines', submitted_by: 'protocol-test 1.0.0' } })
  const id = String(submitted['id'])

  const waited = await call(client, 'wait_for_jobs', { ids: [id], timeout_s: 20 })
  expect(waited).toMatchObject({ satisfied: true, jobs: [{ id, state: 'completed', final: true, attempts: 1 }] })
  expect(await call(client, 'job_status', { id })).toMatchObject({ jobs: [{ id, state: 'completed' }], missing: [] })
  expect(await call(client, 'job_result', { id })).toMatchObject({ id, final: true, state: 'completed' })
  const logs = await call(client, 'job_logs', { id })
  expect(String(logs['untrusted_output']).split('\n').sort()).toEqual(expect.arrayContaining(['err', 'out']))
  expect(await call(client, 'list_jobs', { text: 'Two' })).toMatchObject({ jobs: [{ id }], has_more: false })
  expect(await call(client, 'whats_new', {})).toMatchObject({ finished: [{ id, shown_before: false }] })
  const types = { types: expect.arrayContaining([expect.objectContaining({ type: 'command', source: 'built-in' })]) }
  expect(await call(client, 'list_job_types', {})).toMatchObject(types)
  expect(await call(client, 'queue_status', {})).toMatchObject({ jobs: { completed: 1 } })

  const again = await call(client, 'submit_job', {
    params: { argv: ['sh', '-c', 'echo out; echo err >&2; exit 0'], cwd: home.home },
    name: 'Two lines',
    idempotency_key: 'two-lines',
  })
  expect(again).toMatchObject({ id, existing: true })

  const rerun = await call(client, 'rerun_job', { id, overrides: { params: { argv: ['sleep', '300'] } } })
  expect(rerun).toMatchObject({ existing: false, job: { rerun_of: id } })
  const cancelled = await call(client, 'cancel_job', { id: String(rerun['id']) })
  expect(cancelled['jobs']).toMatchObject([{ id: rerun['id'], outcome: expect.stringMatching(/^cancell(ed|ing)$/) }])
  const ended = await call(client, 'wait_for_jobs', { ids: [String(rerun['id'])], timeout_s: 20 })
  expect(ended).toMatchObject({ satisfied: true, jobs: [{ state: 'cancelled' }] })
})
