import type { PartialDownload } from './http-params.ts'
import { type Answer, firstOf } from './send.ts'

/** A time proves nothing about a file that may have changed twice within a second of it. */
const leastAgeMs = 60_000

/** What proves that the rest of a file belongs to its beginning; null: the server gave no such thing. */
export interface Validators {
  readonly etag: string | null
  readonly last_modified: string | null
}

/** @returns the strong validators of an answer */
export function strongValidators({ headers }: Pick<Answer, 'headers'>): Validators {
  const etag = headers.etag ?? ''
  const modified = headers['last-modified'] ?? ''
  const age = Date.parse(firstOf(headers.date) ?? '') - Date.parse(modified)
  return {
    etag: /^"[^"]*"$/.test(etag) ? etag : null,
    last_modified: age >= leastAgeMs ? modified : null,
  }
}

/** @returns the headers that ask for the rest, or null when nothing proves what it belongs to */
export function rangeHeaders(part: PartialDownload): Record<string, string> | null {
  const validator = part.etag ?? part.last_modified
  if (validator === null || part.bytes === 0) return null
  return { range: `bytes=${part.bytes}-`, 'if-range': validator }
}

/** @returns why an answer to `rangeHeaders` is not the rest of the part; null: it is */
export function whyNotTheRest(answer: Answer, part: PartialDownload): string | null {
  const { headers, status } = answer
  if (status === 200) return 'the server sent the whole file: it has changed, or cannot be continued'
  if (status === 416) return 'the file at the server has changed: it is not longer than what is there'
  if (status !== 206) return `the server answered ${status} to a request for the rest`
  const range = rangeOf(answer)
  if (range === null || range.first !== part.bytes) return 'the server sent another part than the one asked for'
  if (range.total !== null && part.total !== null && range.total !== part.total)
    return `the file at the server has changed: ${range.total} bytes instead of ${part.total}`
  if (part.etag !== null && headers.etag !== undefined && headers.etag !== part.etag)
    return 'the file at the server has changed: it has another ETag'
  if (part.etag === null && headers['last-modified'] !== undefined && headers['last-modified'] !== part.last_modified)
    return 'the file at the server has changed: it has another time'
  return null
}

/** @returns what a 206 says about itself */
export function rangeOf({ headers }: Pick<Answer, 'headers'>): { first: number; total: number | null } | null {
  const found = /^bytes (\d{1,15})-\d{1,15}\/(\d{1,15}|\*)$/.exec(firstOf(headers['content-range']) ?? '')
  if (found === null) return null
  return { first: Number(found[1]), total: found[2] === '*' ? null : Number(found[2]) }
}
