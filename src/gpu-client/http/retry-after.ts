const longestMs = 3_600_000

/**
 * @param header seconds or an HTTP date
 * @param now wall clock, ms
 * @returns how long to wait, at most an hour; null when the header says nothing that can be understood
 */
export function parseRetryAfter(header: string | null, now: number): number | null {
  const text = header?.trim() ?? ''
  if (text === '') return null
  if (/^\d+(\.\d+)?$/.test(text)) return Math.min(Number(text) * 1_000, longestMs)
  if (!/[a-z]/i.test(text)) return null
  const date = Date.parse(text)
  return Number.isNaN(date) ? null : Math.min(Math.max(0, date - now), longestMs)
}
