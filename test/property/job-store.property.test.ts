/*
 * Random histories over the real store and the model: every answer and every row must be the same, and the invariants hold.
 *
 * A property test can be green and blind. This one was seen to catch each of these planted bugs (test/mutants/store-*.patch,
 * `npm run mutants -- store`):
 *   store-no-fence                 completing without any fence
 *   store-fence-by-worker-only     a fence that forgets attempt and nonce
 *   store-no-concurrency-guard     claiming beyond the concurrency of the job
 *   store-one-attempt-too-many     one failure more than max_attempts
 *   store-settle-too-early         settling while units still run
 *   store-release-ignores-cancel   a release that makes a cancelled unit available again
 *   store-cancel-leaves-available  a cancel that leaves available units
 *   store-count-drift              a counter that is not kept
 *   store-claim-before-due         claiming a unit that still backs off
 *   store-retry-without-event      a retry that writes no event
 *   store-dependency-cycle         jobs that wait for each other
 *   store-gpu-local-takes-remote   executors of this machine that claim what waits for a GPU worker
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openJobStore } from '../../src/persistence/open-job-store.ts'
import { InMemoryJobStore } from '../conformance/model/in-memory-job-store.ts'
import { createFakeClock } from '../support/fake-clock.ts'
import { rounds } from '../support/rounds.ts'
import { history, type Key, type Operation } from './history.ts'
import { checkState, checkStep, type Snapshot, takeSnapshot } from './invariants.ts'
import { StorePair } from './store-pair.ts'

const runs = Number(process.env['PROPERTY_RUNS'] ?? rounds(120, 1_200))
const seed = process.env['PROPERTY_SEED']
const endOnFailure = process.env['PROPERTY_END_ON_FAILURE'] === '1'
/** Durability is not at stake here, and waiting for a disk would be most of the time. */
const directoryForTests = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
/** Operations between two comparisons of all rows. */
const stride = 8

function withPair(work: (pair: StorePair) => void): void {
  const directory = mkdtempSync(join(directoryForTests, 'nk-property-'))
  const clock = createFakeClock()
  const real = openJobStore({
    databaseFile: join(directory, 'queue.db'),
    backupsDirectory: join(directory, 'backups'),
    appVersion: '0.1.0',
    clock,
  })
  try {
    work(new StorePair(real, new InMemoryJobStore(clock.now), clock))
  } finally {
    real.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

function compareAll(pair: StorePair, before: Snapshot | null): Snapshot {
  const snapshot = pair.both((store) => takeSnapshot(store, pair.now()))
  checkState(snapshot)
  if (before !== null) checkStep(before, snapshot)
  return snapshot
}

/** Claims and ends whatever can move; every job must become final within so many rounds. */
function driveOn(pair: StorePair): void {
  for (let round = 0; round < 60; round += 1) {
    pair.finishJobs()
    for (const held of pair.both((store) => store.findHeldUnits({ limit: 1_000 }))) {
      const isCancelled = held.job.cancelRequestedAt !== null
      pair.both((store) =>
        isCancelled
          ? store.cancelUnitIfHeld(held.fence, null, pair.facts())
          : store.completeUnitIfHeld(held.fence, null, pair.facts()),
      )
    }
    const runnable = pair.both((store) => store.readRunnableJobs(0, 1_000))
    if (runnable.length === 0 && pair.both((store) => store.readStateCounts()).queued === 0) {
      if (pair.both((store) => store.readStateCounts()).running === 0) return
    }
    for (const { jobId, forGpu, limitKey } of runnable) pair.claimNow(jobId, forGpu, limitKey as Key, 3)
    pair.takeConsequences()
    pair.clock.advance(1_000)
  }
}

function live(pair: StorePair, operations: readonly Operation[]): void {
  let snapshot: Snapshot | null = null
  for (const [index, operation] of operations.entries()) {
    pair.apply(operation)
    // Two pauses are never at the same moment: what ran between them was not claimed while paused.
    pair.clock.advance(1)
    if (index % stride === stride - 1) snapshot = compareAll(pair, snapshot)
  }
  snapshot = compareAll(pair, snapshot)
  driveOn(pair)
  const end = compareAll(pair, snapshot)
  expect(
    end.jobs.filter((job) => job.finishedAt === null).map((job) => job.id),
    'every job ends when driven on',
  ).toEqual([])
}

test('any history gives the same answers and rows as the model, keeps the invariants and ends', () => {
  fc.assert(
    fc.property(history, (operations) => withPair((pair) => live(pair, operations))),
    { numRuns: runs, endOnFailure, ...(seed === undefined ? {} : { seed: Number(seed) }) },
  )
})
