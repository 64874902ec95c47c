import { type ProgressParser, reading } from './progress-parser.ts'

/** JSON lines: `{"progress":0.4}` or `{"current":4,"total":10,"message":"…"}`. */
export function createJsonParser(): ProgressParser {
  return {
    name: 'json',
    explicit: true,
    parse(line) {
      const text = line.trim()
      if (!text.startsWith('{') || !text.endsWith('}')) return null
      const facts = parseObject(text)
      if (facts === null) return null
      const message = typeof facts['message'] === 'string' ? facts['message'] : null
      const { progress, current, total } = facts
      if (typeof current === 'number') return reading(current, typeof total === 'number' ? total : null, message)
      if (typeof progress !== 'number' || progress > 100) return null
      return reading(progress, progress > 1 ? 100 : 1, message)
    },
  }
}

function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : null
  } catch {
    return null
  }
}
