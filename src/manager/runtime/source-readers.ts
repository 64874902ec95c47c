import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { largestUnitBytes } from '../../domain/enumeration.ts'
import { QueueError } from '../../domain/errors.ts'
import type { Json } from '../../domain/job.ts'
import type { NewSource } from '../../domain/ports/source-store.ts'
import { rangeItem } from '../../domain/range-items.ts'

/** An item, and where its source goes on behind it. */
export interface ReadItem {
  readonly value: Json
  readonly cursor: number
}

export interface ReadSlice {
  readonly items: readonly ReadItem[]
  /** True when nothing is behind them. */
  readonly atEnd: boolean
}

/** Reads a source from any of its cursors on: a manager that was killed is followed by one that goes on there. */
export interface SourceReader {
  /** @throws QueueError storage_refused when the source is not what was written */
  read(cursor: number, limit: number): Promise<ReadSlice>
}

/** @param home the state directory: spool files are named relative to it */
export function createSourceReader(source: NewSource, home: string): SourceReader {
  switch (source.kind) {
    case 'list':
      return counted(source.total, (index) => source.items[index] ?? null)
    case 'range':
      return counted(source.total, (index) => rangeItem(source.from, source.step, index))
    case 'spool':
      return new SpoolReader(join(home, source.file))
  }
}

function counted(total: number, itemAt: (index: number) => Json): SourceReader {
  return {
    read: (cursor, limit) => {
      const end = Math.min(total, cursor + limit)
      const items: ReadItem[] = []
      for (let index = cursor; index < end; index += 1) items.push({ value: itemAt(index), cursor: index + 1 })
      return Promise.resolve({ items, atEnd: end >= total })
    },
  }
}

const chunkBytes = 256 * 1024
const newline = 0x0a

/** Lines of JSON; the cursor is a byte offset. */
class SpoolReader implements SourceReader {
  readonly #file: string
  #chunk: Buffer = Buffer.alloc(0)
  #chunkStart = 0
  #fileBytes = 0

  constructor(file: string) {
    this.#file = file
  }

  async read(cursor: number, limit: number): Promise<ReadSlice> {
    if (this.#lineEnd(cursor) < 0) await this.#load(cursor)
    const items: ReadItem[] = []
    let at = cursor
    while (items.length < limit) {
      const end = this.#lineEnd(at)
      if (end < 0) break
      items.push({ value: this.#parse(at, end), cursor: end + 1 })
      at = end + 1
    }
    const atEnd = at >= this.#fileBytes
    if (items.length === 0 && !atEnd) throw damaged(this.#file, `has no whole line at byte ${cursor}`)
    return { items, atEnd }
  }

  /** @returns the offset of the line's end; -1 when it does not lie in the chunk */
  #lineEnd(from: number): number {
    if (from < this.#chunkStart) return -1
    const found = this.#chunk.indexOf(newline, from - this.#chunkStart)
    return found < 0 ? -1 : found + this.#chunkStart
  }

  #parse(from: number, to: number): Json {
    const text = this.#chunk.subarray(from - this.#chunkStart, to - this.#chunkStart).toString('utf8')
    try {
      return JSON.parse(text) as Json
    } catch (error) {
      throw damaged(this.#file, `holds no JSON at byte ${from}`, error)
    }
  }

  async #load(cursor: number): Promise<void> {
    try {
      const handle = await open(this.#file, 'r')
      try {
        this.#fileBytes = (await handle.stat()).size
        await this.#loadFrom(handle, cursor, chunkBytes)
        if (this.#lineEnd(cursor) < 0) await this.#loadFrom(handle, cursor, largestUnitBytes + 1)
      } finally {
        await handle.close()
      }
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      throw damaged(this.#file, code === 'ENOENT' ? 'is missing' : `cannot be read: ${message}`, error)
    }
  }

  async #loadFrom(handle: Awaited<ReturnType<typeof open>>, cursor: number, bytes: number): Promise<void> {
    const buffer = Buffer.allocUnsafe(bytes)
    let read = 0
    while (read < bytes) {
      const { bytesRead } = await handle.read(buffer, read, bytes - read, cursor + read)
      if (bytesRead === 0) break
      read += bytesRead
    }
    this.#chunk = buffer.subarray(0, read)
    this.#chunkStart = cursor
  }
}

function damaged(file: string, why: string, cause?: unknown): QueueError {
  return new QueueError('storage_refused', `the file of units ${file} ${why}`, {
    remedy: 'Submit the rest as a new job; list_units shows what was added.',
    cause,
  })
}
