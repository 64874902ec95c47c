import type { Agent } from 'undici'
import { type ErrorCode, errorKinds, QueueError } from '../domain/errors.ts'
import { type HandshakeAnswer, handshakeAnswer, problem } from '../domain/wire/manager.ts'
import { apiVersion } from '../domain/wire/shared.ts'

/** The manager could not be reached at all, or the connection broke: the call may be repeated on another connection. */
export class ConnectionLostError extends Error {
  constructor(message: string, cause: unknown) {
    super(message, { cause })
    this.name = 'ConnectionLostError'
  }
}

/** HTTP over one unix socket. Keeps up to 64 connections alive for a few seconds. */
export interface Connection {
  readonly socket: string
  /** @throws QueueError for an error the manager answered; ConnectionLostError when it did not answer */
  post(name: string, body: string, signal?: AbortSignal): Promise<unknown>
  stream(path: string, headers: Record<string, string>, signal: AbortSignal): Promise<AsyncIterable<Buffer>>
  close(): Promise<void>
}

/** Opens nothing yet: sockets are connected by the first call. Loads undici only now, so that a front end starts fast. */
export async function openConnection(socket: string): Promise<Connection> {
  const { Agent, request } = await import('undici')
  const agent: Agent = new Agent({
    connect: { socketPath: socket, timeout: 5_000 },
    connections: 64,
    pipelining: 1,
    keepAliveTimeout: 4_000,
    headersTimeout: 0,
    bodyTimeout: 0,
  })
  const headers = { 'content-type': 'application/json', 'nightkiln-api-version': String(apiVersion) }

  async function post(name: string, body: string, signal?: AbortSignal): Promise<unknown> {
    let status: number
    let text: string
    try {
      const response = await request(`http://manager/v1/${name}`, {
        method: 'POST',
        dispatcher: agent,
        headers,
        body,
        ...(signal === undefined ? {} : { signal }),
      })
      status = response.statusCode
      text = await response.body.text()
    } catch (error) {
      if (signal?.aborted === true) throw error
      throw new ConnectionLostError(`no answer from the manager at ${socket}: ${(error as Error).message}`, error)
    }
    if (status < 400) return JSON.parse(text)
    // The server saw only a part of the call (this process was stopped in the middle of sending) and did nothing with it.
    if (status === 408) throw new ConnectionLostError(`the call to ${socket} was not sent in time`, undefined)
    throw errorFromProblem(status, text)
  }

  return {
    socket,
    post,
    async stream(path, extra, signal) {
      const response = await request(`http://manager${path}`, {
        dispatcher: agent,
        headers: { ...headers, ...extra },
        signal,
      })
      if (response.statusCode >= 400) throw errorFromProblem(response.statusCode, await response.body.text())
      return response.body
    },
    close: () => agent.destroy(),
  }
}

function errorFromProblem(status: number, text: string): QueueError {
  try {
    const parsed = problem.parse(JSON.parse(text))
    const code = (parsed.code in errorKinds ? parsed.code : 'internal') as ErrorCode
    return new QueueError(code, parsed.detail, {
      remedy: parsed.remedy,
      details: {
        ...parsed.details,
        ...(parsed.retry_after_ms === undefined ? {} : { retry_after_ms: parsed.retry_after_ms }),
      },
    })
  } catch {
    return new QueueError('internal', `the manager answered ${status} with something that is not a problem document`)
  }
}

/**
 * Asks who answers on a connection.
 * @throws ConnectionLostError when nobody answered within `timeoutMs`
 */
export async function shakeHands(connection: Connection, timeoutMs: number): Promise<HandshakeAnswer> {
  const timeout = new AbortController()
  // Timers run before arrived data is read: on a starved machine an answer that is there already must still count.
  const timer = setTimeout(() => setImmediate(() => setImmediate(() => timeout.abort())), timeoutMs)
  try {
    return handshakeAnswer.parse(await connection.post('handshake', '{}', timeout.signal))
  } catch (error) {
    if (error instanceof QueueError || error instanceof ConnectionLostError) throw error
    throw new ConnectionLostError(`no answer from the manager at ${connection.socket} within ${timeoutMs} ms`, error)
  } finally {
    clearTimeout(timer)
  }
}
