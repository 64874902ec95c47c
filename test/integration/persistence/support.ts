import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Migration } from '../../../src/persistence/migrator.ts'
import { openJobStore } from '../../../src/persistence/open-job-store.ts'
import type { SqliteJobStore } from '../../../src/persistence/sqlite-job-store.ts'
import { createFakeClock } from '../../support/fake-clock.ts'

export interface StateDirectory {
  readonly directory: string
  readonly databaseFile: string
  readonly backupsDirectory: string
  readonly identityFile: string
  readonly lockFile: string
  readonly clock: ReturnType<typeof createFakeClock>
  /** Opens the store; closed when the test ends. */
  open(changes?: { migrations?: readonly Migration[]; appVersion?: string; identityFile?: string }): SqliteJobStore
}

/** An empty state directory, removed when the test ends. */
export function useStateDirectory(): StateDirectory {
  const directory = mkdtempSync(join(tmpdir(), 'nk-persistence-'))
  const clock = createFakeClock()
  const opened: SqliteJobStore[] = []
  onTestFinished(() => {
    for (const store of opened) store.close()
    rmSync(directory, { recursive: true, force: true })
  })
  const databaseFile = join(directory, 'queue.db')
  const backupsDirectory = join(directory, 'backups')
  return {
    directory,
    databaseFile,
    backupsDirectory,
    identityFile: join(directory, 'instance.json'),
    lockFile: join(directory, 'lock.db'),
    clock,
    open: (changes = {}) => {
      const store = openJobStore({ databaseFile, backupsDirectory, appVersion: '0.1.0', clock, ...changes })
      opened.push(store)
      return store
    },
  }
}
