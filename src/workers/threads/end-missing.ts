import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { AttemptEnd } from '../../domain/ports/attempt.ts'
import type { ThreadAttempt } from './thread-attempt.ts'

/**
 * @param directory of all attempts
 * @returns how an attempt ends that its host has lost: given back when nothing shows that it ran
 */
export function endMissing(attempt: ThreadAttempt, directory: string): AttemptEnd {
  const message = 'the thread host has lost it'
  const elapsedMs = attempt.elapsedMs()
  if (!attempt.wasSeenRunning && attempt.work !== null && !existsSync(join(directory, attempt.key)))
    return { kind: 'released', message, backOff: true, elapsedMs }
  const output = { bytes: 0, droppedBytes: 0, tail: '' }
  return { kind: 'lost', message, countsAsCrash: false, elapsedMs, output }
}
