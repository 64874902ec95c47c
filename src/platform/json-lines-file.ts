import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { QueueError } from '../domain/errors.ts'
import type { Json } from '../domain/job.ts'

export interface JsonLinesLimits {
  readonly items: number
  readonly itemBytes: number
  readonly bytes: number
}

const bufferedLength = 256 * 1024
/** Between so many items everything else in the process gets a turn. */
const itemsPerTurn = 250

export interface WrittenJsonLines {
  readonly total: number
  /** Undefined: there was none. */
  readonly first: Json | undefined
}

/**
 * Writes items as lines of JSON to a file of mode 0600 that appears whole or not at all, and is durable when this resolves. Memory
 * stays flat, and the event loop free.
 * @throws QueueError limit_exceeded, and what the items throw; then no file is left
 */
export async function writeJsonLines(
  items: Iterable<Json> | AsyncIterable<Json>,
  file: string,
  limits: JsonLinesLimits | null,
): Promise<WrittenJsonLines> {
  const temporary = `${file}.tmp`
  const handle = await open(temporary, 'w', 0o600)
  try {
    const written = await writeAll(items, handle, limits)
    await handle.sync()
    await handle.close()
    await rename(temporary, file)
    return written
  } catch (error) {
    await handle.close().catch(() => undefined)
    await rm(temporary, { force: true })
    throw error
  }
}

async function writeAll(
  items: Iterable<Json> | AsyncIterable<Json>,
  handle: FileHandle,
  limits: JsonLinesLimits | null,
): Promise<WrittenJsonLines> {
  let total = 0
  let bytes = 0
  let first: Json | undefined
  let buffered = ''
  const flush = async () => {
    bytes += Buffer.byteLength(buffered)
    if (limits !== null && bytes > limits.bytes) throw tooMuch(`all units together are more than ${limits.bytes} bytes`)
    await handle.appendFile(buffered)
    buffered = ''
  }
  for await (const item of items) {
    const line = `${JSON.stringify(item)}\n`
    if (total === 0) first = item
    total += 1
    if (limits !== null) assertWithin(total, line, limits)
    buffered += line
    if (buffered.length >= bufferedLength) await flush()
    if (total % itemsPerTurn === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  await flush()
  return { total, first }
}

function assertWithin(total: number, line: string, limits: JsonLinesLimits): void {
  if (total > limits.items) throw tooMuch(`there are more than ${limits.items} units`)
  if (line.length * 3 > limits.itemBytes && Buffer.byteLength(line) > limits.itemBytes)
    throw tooMuch(`unit ${total - 1} is larger than ${limits.itemBytes} bytes`)
}

function tooMuch(message: string): QueueError {
  return new QueueError('limit_exceeded', message, {
    remedy: 'Split it over several jobs, or put large input into files and give their paths.',
  })
}
