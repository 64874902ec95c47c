import { createHash } from 'node:crypto'
import { z } from 'zod'
import { QueueError } from '../../domain/errors.ts'
import type { JobFilter } from '../../domain/ports/job-store.ts'
import type { JobState } from '../../domain/states.ts'
import type { JobFilterInput } from '../../domain/wire/jobs.ts'

const cursorContent = z.object({ v: z.literal(1), seq: z.int(), filter: z.string() })

const groups: Readonly<Record<string, readonly JobState[]>> = {
  unfinished: ['queued', 'running'],
  finished: ['completed', 'failed', 'cancelled'],
}

/** @returns the filter in the store's words. */
export function storeFilter(input: JobFilterInput): JobFilter {
  return {
    ...(input.states === undefined
      ? {}
      : { states: [...new Set(input.states.flatMap((state) => groups[state] ?? [state as JobState]))] }),
    type: input.type,
    queue: input.queue,
    labels: input.labels,
    createdAfter: input.created_after === undefined ? undefined : Date.parse(input.created_after),
    createdBefore: input.created_before === undefined ? undefined : Date.parse(input.created_before),
    text: input.text,
  }
}

/** @returns a keyset cursor bound to its filter. */
export function encodeCursor(beforeSeq: number, filter: JobFilter): string {
  return Buffer.from(JSON.stringify({ v: 1, seq: beforeSeq, filter: filterHash(filter) })).toString('base64url')
}

/** @throws QueueError invalid_input when it is not a cursor, or of another filter */
export function decodeCursor(cursor: string, filter: JobFilter): number {
  const decoded = parseCursor(cursor)
  if (decoded === null) {
    throw new QueueError('invalid_input', `cursor "${cursor.slice(0, 60)}" is not one that list_jobs answered`, {
      remedy: 'Use next_cursor of the answer before, or leave cursor out to start again.',
    })
  }
  if (decoded.filter !== filterHash(filter)) {
    throw new QueueError('invalid_input', 'cursor belongs to another filter', {
      remedy: 'Repeat the filter of the answer that gave the cursor, or leave cursor out.',
    })
  }
  return decoded.seq
}

function parseCursor(cursor: string): z.infer<typeof cursorContent> | null {
  try {
    return cursorContent.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')))
  } catch {
    return null
  }
}

function filterHash(filter: JobFilter): string {
  return createHash('sha256').update(JSON.stringify(filter)).digest('base64url').slice(0, 12)
}
