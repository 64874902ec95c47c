import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import type { Json } from '../../domain/job.ts'
import { inlineBytes, type WireCheckpoint } from '../../domain/wire/prediction.ts'
import { readCheckpointAtLast } from '../../workers/threads/checkpoint-file.ts'
import type { FileStore } from '../storage/file-store.ts'

/** A checkpoint as it is told, and which state of the file it was. */
export interface ToldCheckpoint {
  readonly checkpoint: WireCheckpoint | null
  readonly mark: string | null
  /** The highest number so far. */
  readonly seq: number
}

/** @returns what tells one state of the checkpoint file of an attempt from the next; null: there is none */
export function checkpointMark(directory: string): string | null {
  const stats = lstatSync(join(directory, 'checkpoint.json'), { throwIfNoEntry: false, bigint: true })
  return stats === undefined ? null : `${stats.ino}.${stats.mtimeNs}.${stats.size}`
}

/**
 * Reads what the run saved last, when that is not what was told before.
 * @returns `told` itself when nothing is new
 */
export async function newestCheckpoint(
  directory: string,
  format: string,
  told: ToldCheckpoint,
  files: FileStore,
): Promise<ToldCheckpoint> {
  const mark = checkpointMark(directory)
  if (mark === null || mark === told.mark) return told
  const state = await readCheckpointAtLast(directory)
  if (state === undefined) return told
  const seq = told.seq + 1
  return { checkpoint: { format, seq, ...(await placed(state, files)) }, mark, seq }
}

/** @returns the value, inline or as the hash of its file */
export async function placed(
  value: Json,
  files: FileStore,
): Promise<{ readonly inline: Json } | { readonly sha256: string }> {
  const text = JSON.stringify(value)
  if (Buffer.byteLength(text) <= inlineBytes) return { inline: value }
  return { sha256: await files.keepText(text) }
}
