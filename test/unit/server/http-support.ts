import { type IncomingHttpHeaders, request } from 'node:http'
import { Server } from '@modelcontextprotocol/server'
import { onTestFinished } from 'vitest'
import type { Authenticator } from '../../../src/server/http/authenticator.ts'
import { createHttpApp, type HttpApp, type HttpAppOptions } from '../../../src/server/http/http-app.ts'
import type { Connection, ServedParts } from '../../../src/server/served.ts'
import { createChangeFeed } from '../../../src/server/subscriptions/change-feed.ts'

export const modernVersion = '2026-07-28'

/** What the server of these tests was asked, and for whom. */
export interface Witness {
  readonly connections: Connection[]
  readonly calls: string[]
  readonly cancelled: string[]
}

/** A server with one tool, which answers at once, never, or with text of any length. */
function serverOf(connection: Connection, witness: Witness): Server {
  witness.connections.push(connection)
  const server = new Server({ name: 'test', version: '1.0.0' }, { capabilities: { tools: {} } })
  server.setRequestHandler('tools/list', () => ({ tools: [] }))
  server.setRequestHandler('tools/call', async ({ params }, context) => {
    const { signal, notify } = context.mcpReq
    const { do: what = 'answer', bytes = 0 } = (params.arguments ?? {}) as { do?: string; bytes?: number }
    witness.calls.push(what)
    if (what === 'flood') {
      const progress = { progressToken: 1, progress: 1, message: 'x'.repeat(64 * 1024) }
      while (!signal.aborted) {
        await notify({ method: 'notifications/progress', params: progress })
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    if (what !== 'answer') {
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve()
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
      witness.cancelled.push(what)
    }
    return { content: [{ type: 'text', text: `${connection.principal}${'x'.repeat(bytes)}` }] }
  })
  return server
}

/** A bearer is who its token says it is; `gone` holds those who may no longer call. */
export function namedBearers(gone: ReadonlySet<string> = new Set()): Authenticator {
  return {
    async authenticate(given) {
      const name = given.headers.get('authorization')?.replace('Bearer ', '') ?? 'nobody'
      return { identity: { principal: `token:${name}`, holds: () => !gone.has(name) } }
    },
  }
}

/** The product's app around a server of this test. */
export function useApp(options: Partial<HttpAppOptions> = {}): { readonly app: HttpApp; readonly witness: Witness } {
  const witness: Witness = { connections: [], calls: [], cancelled: [] }
  const leaving = new AbortController()
  const parts = {
    changes: createChangeFeed({ leaving: leaving.signal, notices: async function* () {} }),
    tools: async () => [],
    tasks: () => Promise.reject(new Error('there are no tasks here')),
  } as unknown as ServedParts
  const app = createHttpApp({
    publicNames: [],
    authenticator: namedBearers(),
    resource: null,
    clock: () => performance.now(),
    report: () => {},
    parts,
    createServer: (connection) => serverOf(connection, witness),
    ...options,
  })
  onTestFinished(async () => {
    leaving.abort()
    await app.close()
  })
  return { app, witness }
}

/** A message of the new era, with what it must carry. */
export function modernMessage(method: string, params: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    jsonrpc: '2.0',
    id: 1,
    method,
    params: {
      ...params,
      _meta: {
        'io.modelcontextprotocol/protocolVersion': modernVersion,
        'io.modelcontextprotocol/clientCapabilities': {},
        'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1.0.0' },
        progressToken: 1,
      },
    },
  }
}

export const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1.0.0' } },
}

export function oldMessage(method: string, params: Record<string, unknown> = {}, id = 2): Record<string, unknown> {
  return { jsonrpc: '2.0', id, method, params }
}

/** Headers of a message as each era wants them. */
export function headersFor(message: unknown, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const { method, params } = (message ?? {}) as { method?: string; params?: { name?: string; _meta?: unknown } }
  const modern =
    params?._meta === undefined
      ? {}
      : {
          'mcp-protocol-version': modernVersion,
          'mcp-method': method ?? '',
          ...(params.name === undefined ? {} : { 'mcp-name': params.name }),
        }
  return {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    authorization: 'Bearer ann',
    ...modern,
    ...more,
  }
}

export interface RawAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export interface RawRequest {
  readonly url: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Pieces are sent as they come, chunked unless the headers declare a length. */
  readonly body?: string | AsyncIterable<string | Buffer>
  readonly signal?: AbortSignal
}

/** HTTP without the help of a client: any header, any body. A connection that ends early is an error. */
export function send({ url, method = 'POST', headers = {}, body, signal }: RawRequest): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers, agent: false, ...(signal === undefined ? {} : { signal }) })
    outgoing.setMaxListeners(0)
    outgoing.on('error', reject)
    outgoing.on('response', (incoming) => {
      let text = ''
      incoming.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
      })
      incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text }))
      incoming.on('error', reject)
    })
    if (typeof body === 'string' || body === undefined) {
      outgoing.end(body)
      return
    }
    const write = async (pieces: AsyncIterable<string | Buffer>) => {
      for await (const piece of pieces) {
        if (outgoing.destroyed) return
        if (!outgoing.write(piece)) await new Promise((done) => outgoing.once('drain', done).once('close', done))
      }
      outgoing.end()
    }
    write(body).catch(() => outgoing.destroy())
  })
}

/** Sends a message in the way of its era. */
export function post(url: string, message: unknown, more: Readonly<Record<string, string>> = {}): Promise<RawAnswer> {
  return send({ url, headers: headersFor(message, more), body: JSON.stringify(message) })
}

/** @returns the message of a JSON-RPC error without an id, as all refusals are */
export function refusalOf(text: string): { readonly code: number; readonly message: string } {
  const { jsonrpc, id, error } = JSON.parse(text) as {
    jsonrpc: string
    id?: unknown
    error: { code: number; message: string }
  }
  if (jsonrpc !== '2.0' || id !== undefined) throw new Error(`no refusal: ${text}`)
  return error
}
