import { isDeepStrictEqual } from 'node:util'
import { expect } from 'vitest'
import type { Attempt, Job, Unit } from '../../src/domain/job.ts'
import type { JobStore, RunnableJob } from '../../src/domain/ports/job-store.ts'
import type { Checkpoint } from '../../src/domain/ports/remote-executor.ts'
import { isFinalJobState, isFinalUnitState } from '../../src/domain/states.ts'

/** Everything the port shows. */
export interface Snapshot {
  readonly jobs: readonly Job[]
  readonly units: readonly Unit[]
  readonly attempts: readonly Attempt[]
  readonly dependencies: ReadonlyMap<string, readonly string[]>
  readonly runnable: readonly RunnableJob[]
  /** By unit id. */
  readonly checkpoints: ReadonlyMap<string, Checkpoint>
  readonly rest: unknown
}

export function takeSnapshot(store: JobStore, now: number): Snapshot {
  const jobs = store.listJobs({}, { limit: 10_000 })
  const units = jobs.flatMap((job) => store.readUnits(job.id, { limit: 10_000 }))
  const unitIds = units.map((unit) => unit.id)
  return {
    jobs,
    units,
    attempts: units.flatMap((unit) => store.readAttempts(unit.id)),
    dependencies: new Map(jobs.map((job) => [job.id, openDependencies(store, job.id)])),
    runnable: store.readRunnableJobs(0, 10_000),
    checkpoints: store.readCheckpoints(unitIds),
    rest: {
      dependencies: jobs.map((job) => store.readDependencies(job.id)),
      sources: store.readOpenSources(10_000),
      sourceTotals: jobs.map((job) => store.readSourceTotals(job.id)),
      failed: jobs.map((job) => store.readUnits(job.id, { limit: 9 }, { states: ['failed', 'running'] })),
      keyed: jobs.map((job) => store.readUnits(job.id, { limit: 9 }, { keys: ['x', 'y'] })),
      queues: store.readQueues(),
      payloads: jobs.map((job) => store.readJobPayload(job.id)),
      artifacts: jobs.map((job) => store.readArtifacts(job.id, { limit: 9 })),
      gpuHistory: store.readGpuHistory(unitIds),
      gpuWaiters: store.readGpuWaiters(now, 10_000),
      gpuLanes: jobs.map((job) => store.readGpuLanes(job.seq, now)),
      modes: jobs.map((job) => store.readModes(job.id)),
      lostLast: store.wasLostLast(unitIds),
      unitPayloads: units.map((unit) => store.readUnitPayload(unit.id)),
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

function openDependencies(store: JobStore, jobId: string): string[] {
  return store
    .readDependencies(jobId)
    .filter((each) => each.state === null)
    .map((each) => each.jobId)
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
    const all = unitsOfJob.get(job.id) ?? []
    const units = all.filter((unit) => !unit.finalStep)
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
    const isFinal = isFinalJobState(job.state)
    const canMove = all.some((unit) => !isFinalUnitState(unit.state))
    same(isFinal && canMove, false, 'no unit of a final job can move')
    same(isFinal && job.sealedAt === null, false, 'a final job is sealed')
    const waits = job.sealedAt === null || job.openDependencies > 0
    same(!isFinal && !canMove && (!waits || job.cancelRequestedAt !== null), false, 'settled when nothing can move')
    same(job.cancelRequestedAt !== null && all.some((unit) => unit.state === 'available'), false, 'a cancel is whole')
    same(all.filter((unit) => unit.finalStep).length <= 1, true, 'one final step')
    const step = all.find((unit) => unit.finalStep)
    same(step !== undefined && counts.available + counts.running > 0, false, 'the final step comes last')
    same(
      step !== undefined && job.finalStep !== (isFinalUnitState(step.state) ? 'done' : 'running'),
      false,
      'its state',
    )
    const positions = all.map((unit) => unit.position)
    same(positions, [...positions.keys()], 'positions without gap')
    const keys = units.flatMap((unit) => (unit.key === null ? [] : [unit.key]))
    same(new Set(keys).size, keys.length, 'no key twice in a job')
    if (!isFinal) same(job.openDependencies, snapshot.dependencies.get(job.id)?.length, 'open dependencies are counted')
    for (const unit of all) checkUnit(job, unit, attemptsOfUnit.get(unit.id) ?? [])
  }
  for (const unit of snapshot.units) {
    same(unit.state === 'completed' && snapshot.checkpoints.has(unit.id), false, 'a completed unit has no checkpoint')
  }
  checkRunnable(snapshot)
  checkCycles(snapshot)
}

/** What the ready index is built from names nothing that must not be claimed. */
function checkRunnable({ jobs, runnable }: Snapshot): void {
  const byId = new Map(jobs.map((job) => [job.id, job]))
  for (const { jobId } of runnable) {
    const job = byId.get(jobId)
    const flags = [job?.pausedAt, job?.frozenAt, job?.heldAt, job?.cancelRequestedAt, job?.finishedAt]
    same(flags.every((at) => at === null) && job?.openDependencies === 0, true, `${jobId} is runnable`)
  }
}

function checkCycles({ dependencies }: Snapshot): void {
  const done = new Set<string>()
  const walk = (id: string, way: readonly string[]): void => {
    if (way.includes(id)) expect.fail(`jobs wait for each other: ${[...way, id].join(', ')}`)
    if (done.has(id)) return
    for (const next of dependencies.get(id) ?? []) walk(next, [...way, id])
    done.add(id)
  }
  for (const id of dependencies.keys()) walk(id, [])
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
  checkPlacement(job, unit, attempts)
}

/** GPU workers see only what asks for them, and never a unit again that fell back. */
function checkPlacement(job: Job, unit: Unit, attempts: readonly Attempt[]): void {
  const remote = attempts.findLastIndex(({ executor }) => executor === 'gpu')
  same(remote >= 0 && (job.gpu === 'never' || unit.finalStep), false, 'only what asks for a GPU runs on one')
  const fallback = attempts.findIndex(({ fallbackReason }) => fallbackReason !== null)
  same(fallback >= 0 && fallback < remote, false, 'a fallback is for good')
  for (const { mode, fallbackReason } of attempts)
    same(mode === 'local (gpu fallback)', fallbackReason !== null, 'a fallback says why')
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
  const olderJobs = new Map(before.jobs.map((job) => [job.id, job]))
  const units = new Map(after.units.map((unit) => [unit.id, unit]))
  for (const unit of before.units) {
    const now = units.get(unit.id)
    if (isFinalUnitState(unit.state)) same(now, unit, 'a final unit never changes')
    const isClaimed = now !== undefined && now.attempt > unit.attempt
    const [job, later] = [olderJobs.get(unit.jobId), jobs.get(unit.jobId)]
    if (
      isClaimed &&
      job !== undefined &&
      later !== undefined &&
      isStopped(job) &&
      isDeepStrictEqual(flagsOf(job), flagsOf(later))
    )
      expect.fail(`a unit of a job that was paused, held, blocked or cancelled was claimed: ${unit.id}`)
    if (now === undefined || now.attempt < unit.attempt) expect.fail(`attempt numbers only grow: ${unit.id}`)
  }
}

function flagsOf(job: Job): readonly unknown[] {
  return [job.pausedAt, job.frozenAt, job.heldAt, job.openDependencies, job.cancelRequestedAt]
}

function isStopped(job: Job): boolean {
  return job.openDependencies > 0 || [job.pausedAt, job.frozenAt, job.heldAt].some((at) => at !== null)
}
