import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { uuidv7 } from 'uuidv7'
import { onTestFinished } from 'vitest'
import { QueueError } from '../../../src/domain/errors.ts'
import { CommitQueue, type CommitQueueOptions } from '../../../src/manager/runtime/commit-queue.ts'
import { openJobStore } from '../../../src/persistence/open-job-store.ts'
import { createFakeClock } from '../../support/fake-clock.ts'

/** A commit queue on a real database in a directory of its own, removed at the end of the test. */
export function openQueue(options: Partial<CommitQueueOptions> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'nk-commits-'))
  const clock = createFakeClock()
  const databaseFile = join(folder, 'queue.db')
  const store = openJobStore({ databaseFile, backupsDirectory: folder, appVersion: '0.0.0', clock })
  store.raiseEpoch('test', clock.now())
  let transactions = 0
  const counted = new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...given: unknown[]) => {
        if (name === 'atomically' && !store.isTransactionOpen()) transactions += 1
        return Reflect.apply(value, target, given) as unknown
      }
    },
  })
  const commits = new CommitQueue({
    store: counted,
    faultPoint: () => undefined,
    isStorageFault: () => false,
    onGroupFailure: (error) => ({ answer: new QueueError('outcome_unknown', String(error)), retry: false }),
    onHookError: (error) => {
      throw error
    },
    onEpochLost: () => undefined,
    ...options,
  })
  onTestFinished(() => {
    store.close()
    rmSync(folder, { recursive: true })
  })
  return { store, commits, clock, databaseFile, transactions: () => transactions }
}

/** @returns `count` units, each with the limit key that `keyOf` names. */
export function newUnits(count: number, keyOf: (position: number) => string | null = () => null) {
  return Array.from({ length: count }, (_, position) => ({
    id: uuidv7(),
    input: position,
    limitKey: keyOf(position),
  }))
}
