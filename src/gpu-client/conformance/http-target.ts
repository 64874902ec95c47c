import { request as requestHttp } from 'node:http'
import { type RequestOptions, request as requestHttps } from 'node:https'
import { shown } from './check.ts'

export interface Ask {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** Sent as Content-Length although the body is shorter: the worker is to refuse on the declaration alone. */
  readonly declaredBytes?: number
  /** Null: without one. Left out: the right one. */
  readonly key?: string | null
}

export interface Answer {
  readonly asked: string
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** There was no whole answer. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
}

export interface TargetOptions {
  readonly url: URL
  readonly key: string | null
  readonly ca: string | null
  readonly signal: AbortSignal
}

export type HttpTarget = (ask: Ask) => Promise<Answer>

const deadlineMs = 15_000
/** More than any answer of the suite: an endless one is broken off. */
const largestBytes = 8 * 1024 * 1024

/**
 * @returns a function that asks the worker. Plain node:http: no retries, no redirects, no agent that would hide what the
 * worker does, and the headers are sent as they are.
 */
export function createHttpTarget({ url, key, ca, signal }: TargetOptions): HttpTarget {
  const send = url.protocol === 'https:' ? requestHttps : requestHttp
  return (ask) =>
    new Promise((resolve, reject) => {
      const asked = `${ask.method} ${ask.path}`
      const body = ask.body === undefined ? null : Buffer.from(ask.body as Uint8Array)
      const given = ask.key === undefined ? key : ask.key
      const options: RequestOptions = {
        protocol: url.protocol,
        hostname: url.hostname.replace(/^\[|\]$/g, ''),
        port: url.port,
        path: `${url.pathname.replace(/\/$/, '')}${ask.path}`,
        method: ask.method,
        agent: false,
        signal: AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]),
        headers: {
          accept: 'application/json',
          ...(body === null ? {} : { 'content-length': String(ask.declaredBytes ?? body.length) }),
          ...(given === null ? {} : { authorization: `Bearer ${given}` }),
          ...ask.headers,
        },
        // Said aloud: the environment cannot switch it off.
        rejectUnauthorized: true,
        ...(ca === null ? {} : { ca }),
      }
      const request = send(options, (response) => {
        const pieces: Buffer[] = []
        let size = 0
        response.on('data', (piece: Buffer) => {
          pieces.push(piece)
          size += piece.length
          if (size > largestBytes) request.destroy(new Error(`the answer has more than ${largestBytes} bytes`))
        })
        response.on('error', fail)
        response.on('end', () => {
          const headers = Object.entries(response.headers).map(([name, value]) => [name, String(value)])
          resolve({
            asked,
            status: response.statusCode ?? 0,
            headers: Object.fromEntries(headers) as Record<string, string>,
            body: Buffer.concat(pieces),
          })
          request.destroy()
        })
      })
      const fail = (error: Error & { readonly code?: string }): void =>
        reject(new NoAnswer(`no answer to ${asked}: ${error.code ?? error.name}, ${shown(error.message)}`))
      request.on('error', fail)
      if (body === null) request.end()
      else if (ask.declaredBytes === undefined) request.end(body)
      else request.write(body)
    })
}
