import { uuidv7 } from 'uuidv7'
import { stateDirectory, statePaths } from '../../config/paths.ts'
import { version } from '../../config/version.ts'
import { systemClock } from '../../domain/clock.ts'
import { QueueError, toErrorRecord } from '../../domain/errors.ts'
import { acceptRestoredDatabase } from '../../persistence/identity.ts'
import { tryAcquireLeaderLock } from '../../persistence/leader-lock.ts'
import { openJobStore } from '../../persistence/open-job-store.ts'

// The part of `nightkiln doctor --accept-database` that writes: a person says that the database as it is now is the right one.
// Run as a child process; prints one line of JSON.

function accept(): { ok: true; events: number } {
  const paths = statePaths(stateDirectory())
  const lock = tryAcquireLeaderLock(paths.lockDatabase)
  if (lock === null) {
    throw new QueueError(
      'invalid_transition',
      'a manager runs on this state directory, so its database is accepted already',
      {
        remedy: 'Run nightkiln manager stop first if you mean to put another database in its place.',
      },
    )
  }
  const clock = systemClock
  const store = openJobStore({
    databaseFile: paths.database,
    backupsDirectory: paths.backups,
    appVersion: version,
    clock,
  })
  try {
    store.raiseEpoch('accept-database', clock.now())
    const identity = acceptRestoredDatabase(paths.instanceFile, store, uuidv7(), clock.now())
    return { ok: true, events: identity.highWater }
  } finally {
    store.close()
    lock.release()
  }
}

process.umask(0o077)
try {
  process.stdout.write(`${JSON.stringify(accept())}\n`)
} catch (error) {
  process.stdout.write(`${JSON.stringify({ ok: false, ...toErrorRecord(error) })}\n`)
}
