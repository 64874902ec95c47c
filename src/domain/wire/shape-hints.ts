/** What was probably meant by a value of the wrong shape, by the name of the field: shown as an example, never done. */
const hints: Readonly<Record<string, (value: unknown) => unknown>> = {
  final_step: (value) => (typeof value === 'string' ? { params: { shell: true, script: value } } : undefined),
  per_key: (value) => (typeof value === 'string' ? { key: value } : undefined),
  rate_limit: rateOf,
  queue_rate_limit: rateOf,
  source: (value) => {
    if (typeof value !== 'string') return undefined
    if (/[*?[]/.test(value)) return { kind: 'glob', pattern: value }
    const kind = /\.(csv|json)$/i.exec(value)?.[1]?.toLowerCase() ?? 'lines'
    return { kind, file: value }
  },
  acknowledge: (value) => (typeof value === 'boolean' ? 'the cursor of the earlier answer' : undefined),
  depends_on: (value) => (typeof value === 'object' && value !== null ? [value] : undefined),
}

const intervals: Readonly<Record<string, number>> = { s: 1, second: 1, m: 60, min: 60, minute: 60, h: 3600, hour: 3600 }

/** @returns "10/s", "10/60s" or "600 per minute" as the wire has it. */
function rateOf(value: unknown): unknown {
  if (typeof value !== 'string') return undefined
  const [, count, number, unit] = /^\s*(\d+)\s*(?:\/|per)\s*(\d*)\s*([a-z]+)\s*$/i.exec(value) ?? []
  const seconds = intervals[unit?.toLowerCase() ?? '']
  if (count === undefined || seconds === undefined) return undefined
  return { count: Number(count), interval_s: (number === undefined || number === '' ? 1 : Number(number)) * seconds }
}

/** @returns the value as it should be written, or undefined when that is not clear. */
export function shapeHint(field: PropertyKey | undefined, value: unknown): unknown {
  return typeof field === 'string' ? hints[field]?.(value) : undefined
}
