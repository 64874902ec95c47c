import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { onTestFinished } from 'vitest'
import type { JobStore } from '../../../src/domain/ports/job-store.ts'
import { openJobStore } from '../../../src/persistence/open-job-store.ts'
import { createFakeClock, type FakeClock } from '../../support/fake-clock.ts'
import { InMemoryJobStore } from '../model/in-memory-job-store.ts'
import { emptyState, type ModelJob } from '../model/model-state.ts'
import { worker } from './jobs.ts'

export type JobFlag = 'pausedAt' | 'frozenAt' | 'heldAt'

/** A store that leads, with the worker `worker` registered, and what the port cannot do yet. */
export interface StoreUnderTest {
  readonly store: JobStore
  readonly clock: FakeClock
  /** Another store on the same data, which has not raised the epoch. */
  openAnother(): JobStore
  setFlag(jobId: string, flag: JobFlag, at: number | null): void
  /** What pruning will do. */
  deleteJob(jobId: string): void
}

export interface Implementation {
  readonly name: string
  /** Closed when the test ends. */
  open(): StoreUnderTest
}

function lead(under: StoreUnderTest): StoreUnderTest {
  const now = under.clock.now()
  under.store.raiseEpoch('test', now)
  under.store.registerWorker(worker, now, now + 30_000)
  return under
}

function openModel(): StoreUnderTest {
  const clock = createFakeClock()
  const database = { state: emptyState() }
  const store = new InMemoryJobStore(clock.now, database)
  const find = (jobId: string): ModelJob => {
    const job = database.state.jobs.find((each) => each.id === jobId)
    if (job === undefined) throw new Error(`no job ${jobId}`)
    return job
  }
  return lead({
    store,
    clock,
    openAnother: () => new InMemoryJobStore(clock.now, database),
    setFlag: (jobId, flag, at) => {
      find(jobId)[flag] = at
    },
    deleteJob: (jobId) => {
      const { state } = database
      state.jobs = state.jobs.filter((job) => job.id !== jobId)
      state.units = state.units.filter((unit) => unit.jobId !== jobId)
    },
  })
}

const columns: Readonly<Record<JobFlag, string>> = {
  pausedAt: 'paused_at = @at',
  frozenAt: 'frozen_at = @at',
  heldAt: "held_at = @at, hold_kind = iif(@at IS NULL, NULL, 'review')",
}

/** Opens the real store in a directory of its own, removed when the test ends. */
export function openSqlite(): StoreUnderTest & { readonly databaseFile: string } {
  const directory = mkdtempSync(join(tmpdir(), 'nk-store-'))
  const clock = createFakeClock()
  const opened: { close(): void }[] = []
  const open = () => {
    const store = openJobStore({
      databaseFile: join(directory, 'queue.db'),
      backupsDirectory: join(directory, 'backups'),
      appVersion: '0.1.0',
      clock,
    })
    opened.push(store)
    return store
  }
  onTestFinished(() => {
    for (const store of opened) store.close()
    rmSync(directory, { recursive: true, force: true })
  })
  const databaseFile = join(directory, 'queue.db')
  const change = (sql: string, binds: Record<string, string | number | null>) => {
    const database = new Database(databaseFile)
    database.pragma('foreign_keys = ON')
    database.prepare(sql).run(binds)
    database.close()
  }
  const under = lead({
    store: open(),
    clock,
    openAnother: open,
    setFlag: (jobId, flag, at) => change(`UPDATE job SET ${columns[flag]} WHERE id = @jobId`, { jobId, at }),
    deleteJob: (jobId) => change('DELETE FROM job WHERE id = @jobId', { jobId }),
  })
  return { ...under, databaseFile }
}

/** Every implementation of the port; each conformance file runs on all of them. */
export const implementations: readonly Implementation[] = [
  { name: 'sqlite', open: openSqlite },
  { name: 'model', open: openModel },
]
