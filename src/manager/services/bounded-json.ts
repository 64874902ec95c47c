import type { Json } from '../../domain/job.ts'

/**
 * Bounds a JSON value for an answer.
 * @returns the value itself, or the beginning of its text when it is longer than `maxBytes`
 */
export function boundedJson(
  value: Json,
  maxBytes: number,
): { readonly value: Json; readonly bytes: number; readonly truncated: boolean } {
  const text = JSON.stringify(value)
  const bytes = Buffer.byteLength(text)
  if (bytes <= maxBytes) return { value, bytes, truncated: false }
  // Cut on a character border: a broken one at the end becomes U+FFFD and is dropped.
  const beginning = Buffer.from(text)
    .subarray(0, maxBytes)
    .toString('utf8')
    .replace(/\uFFFD$/, '')
  return { value: beginning, bytes, truncated: true }
}
