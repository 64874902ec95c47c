import { readdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../domain/clock.ts'
import { attemptKey } from '../../workers/threads/attempt-key.ts'
import type { Predictions } from '../runs/predictions.ts'
import type { FileStore } from './file-store.ts'
import type { Journal } from './journal.ts'
import type { WorkerPaths } from './worker-paths.ts'

/** A client that was away for a night finds its results. */
const keptMs = 25 * 3_600_000
/** Files that no prediction names: one that uses them may be about to come. */
const unusedMs = 24 * 3_600_000

/** Removes predictions that ended long ago, and files that nobody needs. */
export async function removeOld(options: {
  readonly journal: Journal
  readonly files: FileStore
  readonly predictions: Predictions
  readonly clock: Pick<Clock, 'now'>
}): Promise<void> {
  const { journal, files, predictions, clock } = options
  const now = clock.now()
  const old = [...journal.entries()].filter(([, { completedAt }]) => completedAt !== null && now - completedAt > keptMs)
  for (const [id] of old) await predictions.remove(id)
  files.sweep(now, unusedMs, (hash) => journal.names(hash))
}

/** Removes the directories of attempts that no prediction has: a worker may have died between the two. */
export async function removeStrayAttempts(paths: WorkerPaths, journal: Journal): Promise<void> {
  const known = new Set<string>()
  for (const [, { attempt }] of journal.entries()) {
    known.add(attemptKey({ unitId: attempt.unit_id, attempt: attempt.attempt, nonce: attempt.nonce }))
  }
  for (const name of readdirSync(paths.state.attempts)) {
    if (known.has(name)) continue
    await rm(join(paths.state.attempts, name), { recursive: true, force: true }).catch(() => undefined)
  }
}
