import type { IncomingMessage } from 'node:http'
import { inlineBytes, leaseHeader } from '../../domain/wire/prediction.ts'
import { Refused } from '../refused.ts'

/** Of a prediction: an input that is not inline is a file. */
export const largestBodyBytes = 1024 * 1024 + inlineBytes
const longestLeaseS = 3_600
const longestWaitS = 60

/** How long a sender may take; ms. */
export interface ReceivePace {
  /** A body that is JSON, all of it. */
  readonly bodyMs: number
  /** The next piece of a file. */
  readonly pieceMs: number
  /** A file, all of it. */
  readonly fileMs: number
}

export const defaultReceivePace: ReceivePace = { bodyMs: 20_000, pieceMs: 15_000, fileMs: 30 * 60_000 }

/** @returns the body as JSON @throws Refused bad_request, too_large */
export async function readJsonBody(incoming: IncomingMessage, pace: ReceivePace): Promise<unknown> {
  const declared = declaredLength(incoming)
  if (declared !== null && declared > largestBodyBytes) throw tooLarge(declared)
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of pieces(incoming, { pieceMs: pace.bodyMs, allMs: pace.bodyMs })) {
    bytes += chunk.length
    if (bytes > largestBodyBytes) throw tooLarge(bytes)
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks, bytes).toString('utf8')) as unknown
  } catch (error) {
    throw new Refused('bad_request', `the body is no JSON: ${(error as Error).message.slice(0, 200)}`)
  }
}

/**
 * The body piece by piece; a sender that is too slow, or gone, is given up.
 * @throws Refused bad_request
 */
export async function* pieces(
  incoming: IncomingMessage,
  limits: { readonly pieceMs: number; readonly allMs: number },
): AsyncGenerator<Uint8Array> {
  let cause: string | null = null
  const giveUp = (why: string) => () => {
    cause = why
    incoming.destroy(new Error(why))
  }
  const all = setTimeout(giveUp(`the body took longer than ${limits.allMs} ms`), limits.allMs)
  let piece = setTimeout(giveUp(`nothing came for ${limits.pieceMs} ms`), limits.pieceMs)
  try {
    // Left open on the way out: its answer still has to go the same way.
    for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
      clearTimeout(piece)
      yield chunk as Uint8Array
      piece = setTimeout(giveUp(`nothing came for ${limits.pieceMs} ms`), limits.pieceMs)
    }
    if (!incoming.complete) throw new Error('the connection ended before the body did')
  } catch (error) {
    if (error instanceof Refused) throw error
    throw new Refused('bad_request', cause ?? (error as Error).message, { status: cause === null ? 400 : 408 })
  } finally {
    clearTimeout(all)
    clearTimeout(piece)
  }
}

/** @returns bytes that the sender announces; null: none */
export function declaredLength(incoming: IncomingMessage): number | null {
  const header = incoming.headers['content-length']
  return header === undefined ? null : Number(header)
}

/** @returns seconds of the lease that is asked for; null: none @throws Refused bad_request */
export function leaseOf(incoming: IncomingMessage): number | null {
  const header = incoming.headers[leaseHeader]
  if (header === undefined) return null
  const seconds = typeof header === 'string' && /^\d{1,5}$/.test(header) ? Number(header) : 0
  if (seconds < 1 || seconds > longestLeaseS)
    throw new Refused('bad_request', `Worker-Lease is "${String(header)}"; it is whole seconds, 1 to ${longestLeaseS}`)
  return seconds
}

/** @returns the byte of the log to go on from @throws Refused bad_request */
export function logsFromOf(text: string | undefined): number {
  if (text === undefined || text === '') return 0
  const from = /^\d{1,15}$/.test(text) ? Number(text) : -1
  if (from < 0) throw new Refused('bad_request', `logs_from is "${text.slice(0, 40)}", which is no number of bytes`)
  return from
}

/** @returns ms that the caller wants to wait for the end, by `Prefer: wait` or `wait=5`; 0: not at all */
export function waitOf(incoming: IncomingMessage): number {
  const match = /(?:^|[\s,;])wait(?:=(\d{1,5}))?(?:$|[\s,;])/.exec(String(incoming.headers['prefer'] ?? ''))
  if (match === null) return 0
  return Math.min(Number(match[1] ?? longestWaitS), longestWaitS) * 1_000
}

function tooLarge(bytes: number): Refused {
  return new Refused(
    'too_large',
    `the body is ${bytes} bytes or more; at most ${largestBodyBytes} are taken: use /files`,
  )
}
