import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A frame that was made by hand because something, somewhere, may stumble over it. */
export interface HostileFrame {
  /** What is hostile about it. */
  readonly why: string
  /** Without the newline at its end. */
  readonly bytes: Buffer
}

interface CorpusLine {
  readonly why: string
  /** One of these three: as it stands, as bytes, or as pieces that are repeated. */
  readonly text?: string
  readonly base64?: string
  readonly parts?: readonly (readonly [piece: string, times: number])[]
}

const file = fileURLToPath(new URL('corpus/hostile.jsonl', import.meta.url))

function bytesOf({ text, base64, parts }: CorpusLine): Buffer {
  if (base64 !== undefined) return Buffer.from(base64, 'base64')
  if (parts !== undefined) return Buffer.from(parts.map(([piece, times]) => piece.repeat(times)).join(''))
  return Buffer.from(text ?? '')
}

/** @returns all of corpus/hostile.jsonl, in its order */
export function hostileFrames(): readonly HostileFrame[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const entry = JSON.parse(line) as CorpusLine
      return { why: entry.why, bytes: bytesOf(entry) }
    })
}
