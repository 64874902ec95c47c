import type { OutputFacts } from '../domain/ports/attempt.ts'
import { readOutput } from './output-reader.ts'
import { tailBytes, tailText } from './tail-text.ts'

/** @returns how much was written and dropped, and the last lines as text of at most 4 KiB. */
export async function outputFacts(directory: string): Promise<OutputFacts> {
  const slice = await readOutput(directory, { offset: -tailBytes, maxBytes: tailBytes })
  return { bytes: slice.totalBytes, droppedBytes: slice.droppedBytes, tail: tailText(slice.bytes, slice.offset > 0) }
}
