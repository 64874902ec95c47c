import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Json } from '../../domain/job.ts'
import { errorCode, isPassing, readRegular } from '../attempt-access.ts'
import { isDeeper } from './host-messages.ts'

/** Written by the thread, atomically and synced: JSON. */
const checkpointFile = 'checkpoint.json'
/** A checkpoint has at most 16 MiB. */
const mostBytes = 17 * 1024 * 1024
const deepest = 100
const retries = 50
const retryMs = 100

/**
 * What an attempt saved last; also while it runs: each checkpoint replaces the file as a whole, so that the one before or the
 * new one is read, never a half. The handler can write there too: what is no JSON is none. Reads and parses up to 16 MiB at once.
 * @param directory of the attempt
 * @returns undefined when there is nothing
 * @throws the system's error when it cannot be read now
 */
export function readCheckpoint(directory: string): Json | undefined {
  let text: string
  try {
    text = readRegular(join(directory, checkpointFile), mostBytes)
  } catch (error) {
    if (isPassing(error)) throw error
    return undefined
  }
  try {
    const value = JSON.parse(text) as Json
    return isDeeper(value, deepest) ? undefined : value
  } catch {
    return undefined
  }
}

/** As readCheckpoint, but tries for 5 s. @returns undefined when it still cannot be read */
export async function readCheckpointAtLast(directory: string): Promise<Json | undefined> {
  for (let tries = 1; tries < retries; tries += 1) {
    try {
      return readCheckpoint(directory)
    } catch (error) {
      if (errorCode(error) === 'EIO' && tries > 3) return undefined
      await sleep(retryMs)
    }
  }
  return undefined
}
