import type { HttpBindings } from '@hono/node-server'
import { QueueError } from '../../domain/errors.ts'

const largestBodyBytes = 16 * 1024 * 1024
const decoder = new TextDecoder()

/**
 * Reads the body of a call as text. It is counted while it arrives: a chunked body declares no size. Over the limit nothing more
 * is kept, and the server closes the connection after the answer.
 * @throws QueueError limit_exceeded; invalid_input when the connection ends before the body does
 */
export function readBody(incoming: HttpBindings['incoming']): Promise<string> {
  // The plain header of node: building a Headers object for each call costs more than the check.
  const declared = Number(incoming.headers['content-length'] ?? 0)
  if (declared > largestBodyBytes) return Promise.reject(tooLarge(`${declared}`))
  return new Promise<string>((resolve, reject) => {
    const chunks: Uint8Array[] = []
    let bytes = 0
    const settle = (outcome: () => void) => {
      incoming.off('data', take).off('end', end).off('error', lose).off('close', lose)
      outcome()
    }
    const take = (chunk: Uint8Array) => {
      bytes += chunk.length
      chunks.push(chunk)
      if (bytes <= largestBodyBytes) return
      incoming.pause()
      settle(() => reject(tooLarge(`over ${largestBodyBytes}`)))
    }
    const end = () =>
      settle(() => resolve(decoder.decode(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, bytes))))
    const lose = () => settle(() => reject(new QueueError('invalid_input', 'the connection ended before the body did')))
    incoming.on('data', take).on('end', end).on('error', lose).on('close', lose)
    if (incoming.destroyed) lose()
  })
}

function tooLarge(size: string): QueueError {
  return new QueueError('limit_exceeded', `the request is ${size} bytes; at most ${largestBodyBytes} are taken`)
}
