import { isDeepStrictEqual } from 'node:util'
import { expect } from 'vitest'
import type { Attempt, Job, Unit } from '../../src/domain/job.ts'
import type { JobStore } from '../../src/domain/ports/job-store.ts'
import { isFinalJobState, isFinalUnitState } from '../../src/domain/states.ts'

/** Everything the port shows. */
export interface Snapshot {
  readonly jobs: readonly Job[]
  readonly units: readonly Unit[]
  readonly attempts: readonly Attempt[]
  readonly rest: unknown
}

export function takeSnapshot(store: JobStore, now: number): Snapshot {
  const jobs = store.listJobs({}, { limit: 10_000 })
  const units = jobs.flatMap((job) => store.readUnits(job.id, { limit: 10_000 }))
  return {
    jobs,
    units,
    attempts: units.flatMap((unit) => store.readAttempts(unit.id)),
    rest: {
      payloads: jobs.map((job) => store.readJobPayload(job.id)),
      unitPayloads: units.map((unit) => store.readUnitPayload(unit.id)),
      runnable: store.readRunnableJobs(0, 10_000),
      held: store.findHeldUnits({ limit: 10_000 }),
      expired: store.findHeldUnits({ leaseExpiredBefore: now, limit: 10_000 }),
      finished: store.readFinishedJobs(0, 10_000),
      events: store.readEvents(0, 100_000),
      firstEvent: store.firstEventId(),
      lastEvent: store.lastEventId(),
      watermark: store.readWatermark('reader'),
      statistics: store.readStatistics(now),
      found: store.listJobs({ text: 'job' }, { limit: 10_000 }).map((job) => job.id),
      foundByError: store.listJobs({ text: 'exit code' }, { limit: 10_000 }).map((job) => job.id),
    },
  }
}

/** expect is slow; most comparisons hold. */
function same(actual: unknown, wanted: unknown, what: string): void {
  if (!isDeepStrictEqual(actual, wanted)) expect(actual, what).toEqual(wanted)
}

/** What must hold in every state, whatever came before. */
export function checkState(snapshot: Snapshot): void {
  const unitsOfJob = groupBy(snapshot.units, (unit) => unit.jobId)
  const attemptsOfUnit = groupBy(snapshot.attempts, (attempt) => attempt.unitId)
  for (const job of snapshot.jobs) {
    const units = unitsOfJob.get(job.id) ?? []
    const inState = (state: string) => units.filter((unit) => unit.state === state).length
    const counts = {
      total: units.length,
      available: inState('available'),
      running: inState('running'),
      completed: inState('completed'),
      failed: inState('failed'),
      cancelled: inState('cancelled'),
    }
    same(job.counts, counts, 'counts equal rows')
    same(isFinalJobState(job.state), counts.available + counts.running === 0, 'settled exactly when nothing can move')
    same(job.counts.running <= (job.concurrency ?? Number.POSITIVE_INFINITY), true, 'concurrency is kept to')
    same(job.cancelRequestedAt !== null && counts.available > 0, false, 'no available unit in a cancelled job')
    for (const unit of units) checkUnit(job, unit, attemptsOfUnit.get(unit.id) ?? [])
  }
}

function checkUnit(job: Job, unit: Unit, attempts: readonly Attempt[]): void {
  same(unit.failures <= job.maxAttempts, true, 'failures within max_attempts')
  const running = attempts.filter((attempt) => attempt.outcome === 'running').length
  same(running, unit.state === 'running' ? 1 : 0, 'one running attempt of a running unit, none of another')
  const numbers = Array.from({ length: unit.attempt }, (_, index) => index + 1)
  same(
    attempts.map((attempt) => attempt.attempt),
    numbers,
    'attempts are numbered from 1 without gap',
  )
}

function groupBy<Item>(items: readonly Item[], key: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>()
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item])
  return groups
}

/** What must hold between two states, the older first. */
export function checkStep(before: Snapshot, after: Snapshot): void {
  const jobs = new Map(after.jobs.map((job) => [job.id, job]))
  for (const job of before.jobs) {
    if (isFinalJobState(job.state)) same(jobs.get(job.id), job, 'a final job never changes')
  }
  const units = new Map(after.units.map((unit) => [unit.id, unit]))
  for (const unit of before.units) {
    const now = units.get(unit.id)
    if (isFinalUnitState(unit.state)) same(now, unit, 'a final unit never changes')
    if (now === undefined || now.attempt < unit.attempt) expect.fail(`attempt numbers only grow: ${unit.id}`)
  }
}
