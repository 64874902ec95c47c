import type { Dispatcher } from 'undici'
import { WorkerFault } from '../worker-client.ts'

export type Answer = Dispatcher.ResponseData
type Headers = Answer['headers']

/** @returns the first value of a header, or null */
export function headerOf(headers: Headers, name: string): string | null {
  const value = headers[name]
  return (Array.isArray(value) ? value[0] : value) ?? null
}

/** Ends an answer that nobody wants to read; its connection is closed. */
export function dropAnswer(answer: Answer): void {
  answer.body.on('error', () => undefined)
  answer.body.destroy()
}

function refuse(answer: Answer, code: string, message: string): never {
  dropAnswer(answer)
  throw new WorkerFault('protocol', code, message)
}

/** @throws WorkerFault protocol for a redirect, a compressed answer (its size could not be bounded) or one that says it is too large */
export function checkHead(answer: Answer, maxBytes: number): void {
  const { statusCode, headers } = answer
  if (statusCode >= 300 && statusCode < 400) {
    refuse(answer, 'REDIRECT', `it sent a redirect (HTTP ${statusCode}), which is never followed`)
  }
  const encoding = headerOf(headers, 'content-encoding')?.trim().toLowerCase() ?? ''
  if (encoding !== '' && encoding !== 'identity') {
    refuse(answer, 'CONTENT_ENCODING', 'it sent a compressed answer, which was not asked for')
  }
  const length = Number(headerOf(headers, 'content-length') ?? 0)
  if (length > maxBytes) refuse(answer, 'TOO_LARGE', `its answer is larger than ${maxBytes} bytes`)
}

/**
 * Reads an answer piece by piece, never more than `maxBytes`.
 * @throws WorkerFault protocol TOO_LARGE; or what breaks the connection, as undici throws it
 */
export async function* piecesOf(answer: Answer, maxBytes: number): AsyncGenerator<Buffer> {
  let bytes = 0
  for await (const piece of answer.body as AsyncIterable<Buffer>) {
    bytes += piece.length
    if (bytes > maxBytes) refuse(answer, 'TOO_LARGE', `its answer is larger than ${maxBytes} bytes`)
    yield piece
  }
}

export async function readWhole(answer: Answer, maxBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of piecesOf(answer, maxBytes)) pieces.push(piece)
  return Buffer.concat(pieces)
}
