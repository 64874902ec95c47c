import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import type { HttpServerProcess } from './http-server.ts'

export interface HttpAnswer {
  /** 0: the connection ended without an answer. */
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** The messages in the body, be it JSON or a stream of events. */
  readonly messages: readonly Record<string, unknown>[]
  /** Parts of the body that are no JSON. */
  readonly unreadable: readonly string[]
  /** False when the bound was over before the body. */
  readonly complete: boolean
}

export interface PostOptions {
  /** Ends the reading of a stream once it is true. */
  readonly wanted?: (message: Record<string, unknown>) => boolean
  /** Instead of the caller's bound, ms. */
  readonly limitMs?: number
}

export interface HttpCaller {
  post(body: Buffer, headers: Record<string, string>, options?: PostOptions): Promise<HttpAnswer>
  close(): void
}

/** Header values may hold no other characters; what cannot be sent is no test of a server. */
const impossible = /[^\t\x20-\x7e\x80-\xff]/g

/** @param hangMs an answer that is not complete by then hangs */
export function createHttpCaller(server: HttpServerProcess, sockets: number, hangMs: number): HttpCaller {
  const known = new WeakSet<object>()
  const agent = new Agent({ keepAlive: true, maxSockets: sockets })
  return {
    post: (body, headers, { wanted, limitMs = hangMs } = {}) =>
      new Promise((resolve) => {
        const messages: Record<string, unknown>[] = []
        const unreadable: string[] = []
        let status = 0
        let answerHeaders: IncomingHttpHeaders = {}
        let rest = ''
        let isStream = false
        const sent = Object.fromEntries(
          Object.entries(headers).map(([name, value]) => [name, value.replace(impossible, '?')]),
        )
        const outgoing = httpRequest({
          host: '127.0.0.1',
          port: server.port,
          path: '/mcp',
          method: 'POST',
          agent,
          headers: {
            accept: 'application/json, text/event-stream',
            'content-type': 'application/json',
            authorization: `Bearer ${server.token}`,
            'content-length': body.length,
            ...sent,
          },
        })
        const finish = (complete: boolean) => {
          clearTimeout(timer)
          outgoing.destroy()
          resolve({ status, headers: answerHeaders, messages, unreadable, complete })
        }
        const timer = setTimeout(finish, limitMs, false)
        const take = (text: string) => {
          if (text.trim() === '') return
          try {
            const message = JSON.parse(text) as Record<string, unknown>
            messages.push(message)
            if (wanted?.(message) === true) finish(true)
          } catch {
            unreadable.push(text.slice(0, 300))
          }
        }
        outgoing.on('response', (incoming) => {
          status = incoming.statusCode ?? 0
          answerHeaders = incoming.headers
          isStream = String(incoming.headers['content-type']).startsWith('text/event-stream')
          incoming.setEncoding('utf8').on('data', (text: string) => {
            rest += text
            if (!isStream) return
            const lines = rest.split('\n')
            rest = lines.pop() ?? ''
            for (const line of lines) if (line.startsWith('data:')) take(line.slice(5))
          })
          incoming.on('end', () => {
            if (!isStream) take(rest)
            clearTimeout(timer)
            resolve({ status, headers: answerHeaders, messages, unreadable, complete: true })
          })
          incoming.on('error', () => finish(true))
        })
        // A connection may end after its answer, while the rest of a refused body is on its way.
        outgoing.on('socket', (socket) => {
          if (known.has(socket)) return
          known.add(socket)
          socket.on('error', () => {})
        })
        // The server may refuse a body before it was read.
        outgoing.on('error', () => {
          clearTimeout(timer)
          resolve({ status, headers: answerHeaders, messages, unreadable, complete: true })
        })
        outgoing.end(body)
      }),
    close: () => agent.destroy(),
  }
}
