import { createHash } from 'node:crypto'
import { pipeline, Readable, type Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { type Json, Reject } from '../../../handler/index.ts'
import type { HttpParams } from './http-params.ts'
import type { RequestLimits } from './request-limits.ts'
import { type Answer, bodyPieces, firstOf } from './send.ts'
import { shownText, shownUrl } from './shown.ts'

export interface Content {
  readonly bytes: Uint8Array
  /** Hex. */
  readonly sha256: string
}

const mostEncodings = 3
/** Deeper values end programs that walk them. */
const deepest = 100

/**
 * Reads a body, decompressed on the way: never more than `maxBytes` are in memory.
 * @throws Reject when it is larger or compressed in an unknown way
 */
export async function readContent(answer: Answer, limits: RequestLimits, maxBytes: number): Promise<Content> {
  const hash = createHash('sha256')
  const pieces: Uint8Array[] = []
  let length = 0
  try {
    for await (const piece of decompressed(bodyPieces(answer, limits, 1), encodingsOf(answer))) {
      length += piece.length
      if (length > maxBytes)
        throw new Reject(
          `the body of ${shownUrl(answer.url)} is larger than ${maxBytes} bytes; raise max_bytes or use "download": true`,
        )
      hash.update(piece)
      pieces.push(piece)
    }
  } catch (error) {
    if (/^(Z_|ERR_)/.test(String((error as { code?: unknown }).code)))
      throw new Error(`${shownUrl(answer.url)} sent a body that cannot be decompressed: ${(error as Error).message}`)
    throw error
  }
  return { bytes: Buffer.concat(pieces), sha256: hash.digest('hex') }
}

function encodingsOf({ headers, url }: Answer): readonly string[] {
  const names = (firstOf(headers['content-encoding']) ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity')
  if (names.length > mostEncodings) throw new Reject(`${shownUrl(url)} compressed its answer ${names.length} times`)
  return names.reverse()
}

async function* decompressed(
  pieces: AsyncGenerator<Uint8Array, void, undefined>,
  encodings: readonly string[],
): AsyncGenerator<Uint8Array, void, undefined> {
  // The answer to HEAD names an encoding and has no body.
  const first = await pieces.next()
  if (first.done === true) return
  const all = (async function* () {
    yield first.value
    yield* pieces
  })()
  if (encodings.length === 0) return yield* all
  const decoders = encodings.map(decoderFor)
  const end = pipeline([Readable.from(all, { objectMode: false }), ...decoders], () => undefined)
  yield* end as unknown as AsyncIterable<Uint8Array>
}

function decoderFor(encoding: string): Transform {
  if (encoding === 'gzip' || encoding === 'x-gzip') return createGunzip()
  if (encoding === 'deflate') return createInflate()
  if (encoding === 'br') return createBrotliDecompress()
  throw new Reject(`the answer is compressed with ${shownText(encoding, 40)}, which nobody asked for`)
}

/** What of a body becomes the result. */
export interface BodyValue {
  readonly body?: Json
  readonly body_left_out?: string
}

/** @throws Error when JSON was demanded and it is none */
export function bodyValue({ bytes }: Content, { headers, url }: Answer, read: HttpParams['read']): BodyValue {
  const type = firstOf(headers['content-type']) ?? ''
  if (read === 'json' || (read === 'auto' && /[/+]json\b/i.test(type))) {
    const text = new TextDecoder().decode(bytes)
    const value = parsedJson(text)
    if (value !== undefined) return { body: value }
    if (read === 'json')
      throw new Error(`the body of ${shownUrl(url)} is not JSON: ${shownText(text.trim().slice(0, 300), 200)}`)
    return { body: text }
  }
  const text = decodedText(bytes, type, read === 'text')
  return text === null
    ? { body_left_out: `${shownText(type || 'it', 80)} is not text; use "download": true` }
    : { body: text }
}

function parsedJson(text: string): Json | undefined {
  try {
    if (!isShallow(text)) return undefined
    const value = JSON.parse(text) as Json
    return isAllFinite(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** A number such as 1e400 is JSON, and none that a program could pass on. */
function isAllFinite(value: Json): boolean {
  if (typeof value === 'number') return Number.isFinite(value)
  return typeof value !== 'object' || value === null || Object.values(value).every(isAllFinite)
}

function isShallow(text: string): boolean {
  let depth = 0
  let isInText = false
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]
    if (isInText) {
      if (character === '\\') at += 1
      else if (character === '"') isInText = false
    } else if (character === '"') isInText = true
    else if (character === '[' || character === '{') {
      depth += 1
      if (depth > deepest) return false
    } else if (character === ']' || character === '}') depth -= 1
  }
  return true
}

const textTypes = /^text\/|[/+](json|xml|javascript|ecmascript|yaml|x-yaml|csv|graphql|x-www-form-urlencoded|x-sh)\b/i

/** @returns null for what is not text */
function decodedText(bytes: Uint8Array, type: string, isDemanded: boolean): string | null {
  const charset = /charset\s*=\s*"?([\w.:-]+)/i.exec(type)?.[1]
  const isText = isDemanded || charset !== undefined || textTypes.test(type)
  if (!isText && type !== '') return bytes.length === 0 ? '' : null
  try {
    // Without a type, it is text when it can be read as such.
    return new TextDecoder(charset ?? 'utf-8', { fatal: !isText }).decode(bytes)
  } catch (error) {
    return error instanceof RangeError ? new TextDecoder().decode(bytes) : null
  }
}
