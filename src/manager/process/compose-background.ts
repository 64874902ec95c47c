import type { Logger } from 'pino'
import type { StatePaths } from '../../config/paths.ts'
import type { Settings } from '../../config/settings.ts'
import type { Clock } from '../../domain/clock.ts'
import type { SqliteJobStore } from '../../persistence/sqlite-job-store.ts'
import { removeAttempts, sweepAttempts } from '../../workers/remove-attempts.ts'
import type { CommitQueue } from '../runtime/commit-queue.ts'
import { EventPruner } from '../runtime/event-pruner.ts'
import { JobDeletion } from '../runtime/job-deletion.ts'
import { ReaderThread } from '../runtime/reader-thread.ts'
import { Retention } from '../runtime/retention.ts'
import { removeOrphanSpools } from '../services/source-spool.ts'

export interface BackgroundOptions {
  readonly store: SqliteJobStore
  readonly commits: CommitQueue
  readonly clock: Clock
  readonly settings: Settings
  readonly paths: StatePaths
  readonly instanceId: string
  /** Of the processes that are this manager's to adopt. */
  readonly bootId: string
  readonly log: Logger
}

export interface Background {
  readonly reader: ReaderThread
  readonly deletion: JobDeletion
  readonly pruner: EventPruner
  readonly retention: Retention
}

/** Makes what keeps history small and reads it without holding up the rest. */
export function composeBackground(options: BackgroundOptions): Background {
  const { store, commits, clock, settings, paths, instanceId, bootId, log } = options
  const reader = new ReaderThread({ databaseFile: paths.database, instanceId, log })
  const deletion = new JobDeletion({
    store,
    commits,
    clock,
    log,
    removeAttempts: (attempts) => removeAttempts(paths, bootId, attempts),
  })
  const retention = new Retention({
    store,
    commits,
    deletion,
    reader,
    clock,
    settings,
    log,
    sweep: async () => {
      await removeOrphanSpools(paths.home, new Set(store.readSpoolFiles()), clock.now())
      await sweepAttempts(paths, bootId, (unitIds) => reader.findUnits(unitIds))
    },
  })
  return { reader, deletion, pruner: new EventPruner(store, commits), retention }
}
