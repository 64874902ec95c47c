import { cutText } from './cut-text.ts'
import { harmlessText } from './display-text.ts'
import type { ErrorRecord } from './errors.ts'

const longestSignature = 200

/**
 * @param tail the last output, empty when there is none
 * @returns what failures of the same cause have in common: code, exit code, and the last line of output without what differs
 * from run to run
 */
export function failureSignature(error: ErrorRecord | null, exitCode: number | null, tail: string): string {
  const code = error?.code ?? 'unknown'
  const exit = exitCode === null ? '' : `, exit code ${exitCode}`
  const line = lastLine(tail)
  const what = normalLine(line === '' && exitCode === null ? (error?.message ?? '') : line)
  return cutText(`${code}${exit}${what === '' ? '' : `: ${what}`}`, longestSignature)
}

function lastLine(text: string): string {
  return (
    text
      .trimEnd()
      .split(/[\r\n]+/)
      .at(-1)
      ?.trim() ?? ''
  )
}

/** Replaces times, ids, addresses, paths and numbers, but not the status that a server answered. */
function normalLine(line: string): string {
  return harmlessText(
    line
      .slice(-1_000)
      .replace(/\u001b\[[0-9;]*[A-Za-z]/g, '')
      .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d:?\d\d)?/g, '<time>')
      .replace(/\b[a-z][a-z0-9+.-]*:\/\/[^\s"'`<>]*[^\s"'`<>.,;:!?()[\]]/gi, '<url>')
      .replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '<id>')
      .replace(/\b0x[0-9a-f]+\b/gi, '<hex>')
      .replace(/\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8,}\b/gi, '<hex>')
      .replace(/(?<![\w<])(?:[A-Za-z]:)?(?:[\\/][^\s\\/:"'`,;()]+)+/g, '<path>')
      .replace(/\b\d+([.,]\d+)?\s?(ns|us|µs|ms|s|sec|seconds?|min|minutes?|h)\b/g, '<duration>')
      .replace(/\b(answered [1-5]\d\d)\b|\d+([.,]\d+)*/g, (_, status: string | undefined) => status ?? '#')
      .replace(/\s+/g, ' ')
      .trim(),
  )
}
