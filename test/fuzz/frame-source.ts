import type { Chance } from './chance.ts'
import { mutateBytes } from './mutate-bytes.ts'
import { mutateStructure } from './mutate-structure.ts'
import { jsonText } from './odd-values.ts'
import { type Era, validFrame } from './valid-frames.ts'

const newline = Buffer.of(0x0a)
/** Over the largest message that is taken. */
const oversizeBytes = 11_000_000
/** One line in so many. */
const oversizeEvery = 5_000
const manyCancels = 2_000
const cancelsEvery = 20_000

export interface FrameSource {
  /** The next piece of the stream: a line with its newline as a rule, sometimes less or more. */
  next(): Buffer
}

function oversize(chance: Chance, id: string): Buffer {
  const filler = 'x'.repeat(oversizeBytes)
  const call = { jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'submit_job', arguments: { filler } } }
  return Buffer.from(chance.happens(0.7) ? JSON.stringify(call) : filler)
}

function cancels(chance: Chance): Buffer {
  const lines: string[] = []
  for (let index = 0; index < manyCancels; index += 1) {
    const requestId = chance.happens(0.5) ? `gone-${index}` : index
    lines.push(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } }))
  }
  return Buffer.from(lines.join('\n'))
}

/**
 * Makes frames of one era: some valid, most broken in meaning, in bytes, or both.
 * @param cwd a directory in which commands may be submitted
 */
export function createFrameSource(era: Era, chance: Chance, cwd: string): FrameSource {
  let count = 0
  return {
    next() {
      count += 1
      const id = `f${count}`
      if (count % oversizeEvery === 0) return Buffer.concat([newline, oversize(chance, id), newline])
      if (count % cancelsEvery === cancelsEvery >> 1) return Buffer.concat([cancels(chance), newline])
      const frame = structuredClone(validFrame(era, chance, chance.happens(0.8) ? id : count, cwd))
      const kind = chance.below(10)
      if (kind >= 2 && kind !== 9) mutateStructure(frame, chance)
      let line: Buffer = Buffer.from(jsonText(frame))
      if (kind >= 6) line = mutateBytes(line, chance)
      // Without its newline a line runs into the next one.
      return chance.happens(0.01) ? line : Buffer.concat([line, newline])
    },
  }
}
