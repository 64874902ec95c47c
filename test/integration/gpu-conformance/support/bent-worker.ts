import { createServer, type IncomingMessage, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import type { RunningWorker } from './running-worker.ts'

/** A request or an answer on its way; a bend changes it, or makes another one. */
export interface BentRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}
export interface BentAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export type Pass = (request: BentRequest) => Promise<BentAnswer>
/** Stands between the suite and a worker that keeps the protocol. */
export type Bend = (request: BentRequest, pass: Pass, key: string) => Promise<BentAnswer> | BentAnswer

async function bytesOf(message: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of message) pieces.push(piece as Buffer)
  return Buffer.concat(pieces)
}

function passTo(url: URL): Pass {
  return ({ method, path, headers, body }) =>
    new Promise((resolve, reject) => {
      const { 'transfer-encoding': _, connection: __, ...rest } = headers
      const length = method === 'PUT' ? { 'content-length': String(body.length) } : {}
      const request = send(
        { hostname: url.hostname, port: url.port, method, path, headers: { ...rest, ...length }, agent: false },
        (response) => {
          bytesOf(response).then(
            (bytes) => resolve({ status: response.statusCode ?? 0, headers: flat(response.headers), body: bytes }),
            reject,
          )
        },
      )
      request.on('error', reject)
      request.end(body)
    })
}

function flat(headers: IncomingMessage['headers']): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}

/** @returns a server that hands everything to the worker and bends what passes; it ends with the test. */
export async function bendWorker(worker: RunningWorker, bend: Bend): Promise<Pick<RunningWorker, 'url' | 'key'>> {
  const pass = passTo(worker.url)
  const server = createServer((incoming, response) => {
    const method = incoming.method ?? 'GET'
    // A body that is declared larger than anything the suite sends never comes whole.
    const endless = Number(incoming.headers['content-length'] ?? 0) > 8 * 1024 * 1024
    const answered = async (): Promise<void> => {
      const body = endless ? Buffer.alloc(0) : await bytesOf(incoming)
      const headers = flat(incoming.headers)
      const answer = endless
        ? { status: 500, headers: {}, body: Buffer.from('{}') }
        : await bend({ method, path: incoming.url ?? '/', headers, body }, pass, worker.key)
      const { 'content-length': length, 'transfer-encoding': _, connection: __, ...rest } = answer.headers
      const declared = method === 'HEAD' ? (length ?? '0') : String(answer.body.length)
      response.writeHead(answer.status, { ...rest, 'content-length': declared })
      response.end(method === 'HEAD' ? undefined : answer.body)
    }
    answered().catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  )
  return { url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), key: worker.key }
}

type JsonObject = Record<string, unknown>

/** @returns the answer with its JSON object changed; anything else as it is. */
export function withJson(answer: BentAnswer, change: (value: JsonObject) => JsonObject): BentAnswer {
  try {
    const value = JSON.parse(answer.body.toString('utf8')) as unknown
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return answer
    return { ...answer, body: Buffer.from(JSON.stringify(change(value as JsonObject))) }
  } catch {
    return answer
  }
}

/** @returns the request with the input of its body changed; anything else as it is. */
export function withInput(request: BentRequest, change: (input: JsonObject) => JsonObject): BentRequest {
  try {
    const value = JSON.parse(request.body.toString('utf8')) as { input?: JsonObject }
    if (value.input === undefined) return request
    return { ...request, body: Buffer.from(JSON.stringify({ ...value, input: change(value.input) })) }
  } catch {
    return request
  }
}
