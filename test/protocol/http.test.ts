import { writeFileSync } from 'node:fs'
import {
  Client as ModernClient,
  StreamableHTTPClientTransport,
  type VersionNegotiationMode,
} from '@modelcontextprotocol/client'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { statePaths } from '../../src/config/paths.ts'
import { newHttpToken, readHttpTokens, writeHttpTokens } from '../../src/platform/http-tokens.ts'
import { stretched } from '../support/machine-speed.ts'
import { makeTemporaryHome } from '../support/temporary-home.ts'
import { waitUntil } from '../support/wait-until.ts'
import { audience, useIssuer } from '../unit/server/http-issuer.ts'
import { headersFor, initialize, modernMessage, oldMessage, post, send } from '../unit/server/http-support.ts'
import { type HttpServerProcess, startHttpServer } from './support/http-server.ts'

interface Answer {
  readonly isError?: boolean | undefined
  readonly structuredContent?: Record<string, unknown> | undefined
  readonly content: readonly { readonly type: string; readonly text?: string }[]
}

interface AnyClient {
  listTools(): Promise<readonly string[]>
  call(name: string, input: Record<string, unknown>): Promise<Answer>
}

type Connect = (server: Pick<HttpServerProcess, 'url' | 'token'>) => Promise<AnyClient>

const identity = { name: 'http-test', version: '1.0.0' }
const home = makeTemporaryHome()
let server: HttpServerProcess

beforeAll(async () => {
  server = await startHttpServer(home)
})
afterAll(() => home.remove())

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

const connectOld: Connect = async ({ url, token }) => {
  const client = new OldClient(identity)
  // Its types were made without exactOptionalPropertyTypes.
  const transport = new OldTransport(new URL(url), { requestInit: { headers: bearer(token) } })
  await client.connect(transport as Parameters<OldClient['connect']>[0])
  onTestFinished(() => client.close())
  return {
    listTools: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: async (name, input) => (await client.callTool({ name, arguments: input })) as Answer,
  }
}

function connectNew(mode: VersionNegotiationMode): Connect {
  return async ({ url, token }) => {
    const client = new ModernClient(identity, { versionNegotiation: { mode } })
    await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: bearer(token) } }))
    onTestFinished(() => client.close())
    return {
      listTools: async () => (await client.listTools()).tools.map(({ name }) => name),
      call: async (name, input) => (await client.callTool({ name, arguments: input })) as Answer,
    }
  }
}

const clients: readonly [string, Connect][] = [
  ['SDK v1', connectOld],
  ['SDK v2 legacy', connectNew('legacy')],
  ['SDK v2 auto', connectNew('auto')],
  ['SDK v2 pinned to 2026-07-28', connectNew({ pin: '2026-07-28' })],
]

async function submit(client: AnyClient, script: string): Promise<string> {
  const answer = await client.call('submit_job', { params: { argv: ['sh', '-c', script], cwd: home.home } })
  expect(answer.isError ?? false, answer.content[0]?.text).toBe(false)
  return String(answer.structuredContent?.['id'])
}

async function stateOf(client: AnyClient, id: string): Promise<unknown> {
  const answer = await client.call('job_status', { ids: [id] })
  return (answer.structuredContent?.['jobs'] as { state: string }[] | undefined)?.[0]?.state
}

test.each(clients)('%s takes a job to its end', async (_name, connect) => {
  const client = await connect(server)
  expect(await client.listTools()).toContain('submit_job')
  const id = await submit(client, 'echo done')
  const waited = await client.call('wait_for_jobs', { ids: [id], timeout_s: 30 })
  expect(waited.structuredContent, waited.content[0]?.text).toMatchObject({ satisfied: true })
  expect(waited.content[0]?.text).toBe(JSON.stringify(waited.structuredContent))
})

test('a job names its directory: that of the server is nobody’s', async () => {
  const client = await connectNew('auto')(server)
  const answer = await client.call('submit_job', { params: { argv: ['true'] } })
  expect(answer).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('cwd') }] })
})

describe('hostile requests', () => {
  const list = modernMessage('tools/list')
  const sent = (message: unknown, more: Readonly<Record<string, string>> = {}) =>
    post(server.url, message, { ...bearer(server.token), ...more })

  test('are refused one by one, and nothing of them stays', async () => {
    const statuses: Record<string, number> = {
      'another Host': (await sent(list, { host: 'rebound.example:80' })).status,
      'a foreign page': (await sent(list, { origin: 'https://evil.example' })).status,
      'no token': (await send({ url: server.url, headers: { 'content-type': 'application/json' }, body: '{}' })).status,
      'half a token': (await sent(list, bearer(server.token.slice(0, 20)))).status,
      'no JSON': (await sent(list, { 'content-type': 'text/plain' })).status,
      'GET without a session': (await send({ url: server.url, method: 'GET', headers: bearer(server.token) })).status,
      'a batch of the new era': (await sent([list])).status,
      'a batch without a session': (await sent([oldMessage('tools/list')])).status,
      'no session': (await sent(oldMessage('tools/list'))).status,
      'headers that say something else': (await sent(list, { 'mcp-method': 'tools/call' })).status,
      'the page of an issuer': (
        await send({ url: server.url.replace('/mcp', '/.well-known/oauth-protected-resource'), method: 'GET' })
      ).status,
    }
    expect(statuses).toEqual({
      'another Host': 403,
      'a foreign page': 403,
      'no token': 401,
      'half a token': 401,
      'no JSON': 415,
      'GET without a session': 405,
      'a batch of the new era': 400,
      'a batch without a session': 400,
      'no session': 400,
      'headers that say something else': 400,
      'the page of an issuer': 404,
    })
    expect((await sent(list)).status).toBe(200)
    expect(server.stderr()).not.toContain('nk_')
  })

  test('do not reach the session of somebody else, and tokens count as the file says now', async () => {
    const file = statePaths(home.home).httpTokens
    const ben = newHttpToken('ben', 0)
    const began = await sent(initialize)
    const session = { 'mcp-session-id': String(began.headers['mcp-session-id']) }
    expect(began.status).toBe(200)
    expect((await sent(list, bearer(ben.token))).status).toBe(401)
    const before = readHttpTokens(file)
    writeHttpTokens(file, [...before, ben])
    expect((await sent(list, bearer(ben.token))).status).toBe(200)
    expect((await sent(oldMessage('tools/list'), { ...session, ...bearer(ben.token) })).status).toBe(404)
    expect((await sent(oldMessage('tools/list'), session)).status).toBe(200)
    writeHttpTokens(file, before)
    expect((await sent(list, bearer(ben.token))).status).toBe(401)
  })
})

/** A message of a client that takes tasks. */
function taskMessage(method: string, params: Record<string, unknown>): Record<string, unknown> {
  const message = modernMessage(method, params)
  const meta = (message['params'] as { _meta: Record<string, unknown> })._meta
  meta['io.modelcontextprotocol/clientCapabilities'] = { extensions: { 'io.modelcontextprotocol/tasks': {} } }
  return message
}

test('a task belongs to the token that made it, and its end is told to who listens', async () => {
  const ben = newHttpToken('ben', 0)
  const file = statePaths(home.home).httpTokens
  writeHttpTokens(file, [...readHttpTokens(file).filter(({ name }) => name !== 'ben'), ben])
  const sent = (message: Record<string, unknown>, token = server.token) => {
    const { name, taskId } = message['params'] as { name?: string; taskId?: string }
    return post(server.url, message, { ...bearer(token), 'mcp-name': name ?? taskId ?? '' })
  }
  const flag = `${home.home}/end-of-task`
  const argv = ['sh', '-c', `while [ ! -e ${flag} ]; do sleep 0.1; done`]
  const input = { params: { argv, cwd: home.home }, wait: true }
  const made = await sent(taskMessage('tools/call', { name: 'submit_job', arguments: input }))
  const { result } = JSON.parse(made.text) as { result: { resultType: string; taskId: string } }
  expect(result, made.text).toMatchObject({ resultType: 'task' })
  const { taskId } = result
  expect(JSON.parse((await sent(taskMessage('tasks/get', { taskId }))).text)).toMatchObject({
    result: { status: 'working' },
  })
  expect(JSON.parse((await sent(taskMessage('tasks/get', { taskId }), ben.token)).text)).toMatchObject({
    error: { code: -32_602 },
  })

  const listen = taskMessage('subscriptions/listen', { notifications: { taskIds: [taskId] } })
  const headers = headersFor(listen, bearer(server.token))
  const response = await fetch(server.url, { method: 'POST', headers, body: JSON.stringify(listen) })
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let told = ''
  const heard = async (what: string) => {
    while (!told.includes(what)) {
      const { done, value } = (await reader?.read()) ?? { done: true }
      if (done) throw new Error(`the stream ended after: ${told}`)
      told += value
    }
  }
  await heard('notifications/subscriptions/acknowledged')
  writeFileSync(flag, '')
  await heard('"status":"completed"')
  expect(told).toContain('notifications/tasks')
  await reader?.cancel()
})

test('with an issuer its access tokens count, too, and clients learn of it', async () => {
  const { issuer, sign } = await useIssuer()
  const own = await startHttpServer(home, '--oauth-issuer', issuer.url, '--oauth-audience', audience)
  const list = modernMessage('tools/list')
  const statusFor = async (token: string) => (await post(own.url, list, bearer(token))).status
  const exp = Math.floor(Date.now() / 1_000) + 600
  expect(await statusFor(own.token)).toBe(200)
  expect(await statusFor(await sign({ exp }))).toBe(200)
  expect(await statusFor(await sign({ exp, aud: 'https://other.example.org/mcp' }))).toBe(401)
  expect(await statusFor(await sign({ exp, scope: 'openid' }))).toBe(403)
  const page = await send({ url: own.url.replace('/mcp', '/.well-known/oauth-protected-resource/mcp'), method: 'GET' })
  expect(JSON.parse(page.text)).toMatchObject({ resource: audience, authorization_servers: [issuer.url] })
  const { headers } = await post(own.url, list, bearer('nobody'))
  expect(headers['www-authenticate']).toContain('resource_metadata="https://jobs.example.org/.well-known/')
  await own.end('SIGTERM')
})

test('closing the stream of a call, or the server, ends no job', async () => {
  const own = await startHttpServer(home)
  const client = await connectNew('auto')(own)
  const flag = `${home.home}/go`
  const id = await submit(client, `while [ ! -e ${flag} ]; do sleep 0.1; done`)

  const leaving = new AbortController()
  const message = modernMessage('tools/call', { name: 'wait_for_jobs', arguments: { ids: [id], timeout_s: 40 } })
  const url = own.url
  const headers = headersFor(message, bearer(own.token))
  const waiting = send({ url, headers, body: JSON.stringify(message), signal: leaving.signal })
  const other = send({ url, headers, body: JSON.stringify(message) }).catch(() => null)
  const began = await post(url, initialize, bearer(own.token))
  const session = { 'mcp-session-id': String(began.headers['mcp-session-id']) }
  const stream = send({ url, method: 'GET', headers: { ...headersFor(null, bearer(own.token)), ...session } })
  await waitUntil(async () => (await stateOf(client, id)) === 'running', { what: 'the job to run' })
  leaving.abort()
  await expect(waiting).rejects.toThrow()
  expect(await stateOf(client, id)).toBe('running')

  const { code, ms } = await own.end('SIGTERM')
  expect(code).toBe(0)
  expect(ms).toBeLessThan(await stretched(1_000))
  expect((await stream).text).not.toContain('error')
  await other

  const next = await connectOld(server)
  expect(await stateOf(next, id)).toBe('running')
  await submit(next, `touch ${flag}`)
  const ended = await next.call('wait_for_jobs', { ids: [id], timeout_s: 30 })
  expect(ended.structuredContent).toMatchObject({ satisfied: true })
})

test('Ctrl-C ends it with code 0', async () => {
  const own = await startHttpServer(home)
  expect(await own.end('SIGINT')).toMatchObject({ code: 0 })
})
