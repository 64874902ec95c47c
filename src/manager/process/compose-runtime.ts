import { randomBytes } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { uuidv7 } from 'uuidv7'
import type { StatePaths } from '../../config/paths.ts'
import type { Settings } from '../../config/settings.ts'
import type { Clock } from '../../domain/clock.ts'
import type { Job } from '../../domain/job.ts'
import type { CommandExecutor } from '../../domain/ports/executor.ts'
import type { JobStore } from '../../domain/ports/job-store.ts'
import type { GpuFleet, RemoteExecutor } from '../../domain/ports/remote-executor.ts'
import type { ThreadExecutor } from '../../domain/ports/thread-executor.ts'
import type { ExecutorKind } from '../../domain/states.ts'
import type { AttemptStarter } from '../runtime/attempt-starter.ts'
import { AttemptSupervisor } from '../runtime/attempt-supervisor.ts'
import { CancelSweeper } from '../runtime/cancel-sweeper.ts'
import { CommandAttempts } from '../runtime/command-attempts.ts'
import type { Commit, CommitQueue } from '../runtime/commit-queue.ts'
import { DependencyValues } from '../runtime/dependency-values.ts'
import { Dispatcher } from '../runtime/dispatcher.ts'
import type { EndedUnits } from '../runtime/end-recorder.ts'
import type { FaultPoint } from '../runtime/fault-points.ts'
import { writeFinalResults } from '../runtime/final-results.ts'
import { GpuAttempts, gpuNeedOf } from '../runtime/gpu-attempts.ts'
import { GpuWaits } from '../runtime/gpu-waits.ts'
import { HandlerAttempts } from '../runtime/handler-attempts.ts'
import { InlineRunner } from '../runtime/inline-runner.ts'
import { JobClock } from '../runtime/job-clock.ts'
import { Throughput } from '../runtime/throughput.ts'
import { UnitFeeder } from '../runtime/unit-feeder.ts'
import type { JobTypeRegistry } from '../services/job-type-registry.ts'
import { inlineResult } from '../services/job-types.ts'

/** So many units that need no processor run in one commit; more would hold the loop for longer than a call should wait. */
const inlineUnits = 250

export interface RuntimeOptions {
  readonly store: JobStore
  readonly commits: CommitQueue
  readonly executor: CommandExecutor
  readonly threads: ThreadExecutor
  readonly remote: RemoteExecutor
  readonly fleet: GpuFleet
  readonly jobTypes: JobTypeRegistry
  readonly clock: Clock
  readonly settings: Settings
  readonly paths: StatePaths
  readonly workerId: string
  readonly log: Logger
  readonly faultPoint: FaultPoint
}

export interface Runtime {
  readonly dispatcher: Dispatcher
  readonly supervisor: AttemptSupervisor
  readonly feeder: UnitFeeder
  readonly sweeper: CancelSweeper
  readonly jobClock: JobClock
  readonly throughput: Throughput
  readonly gpuWaits: GpuWaits
}

/** Makes what runs jobs, and joins its parts: what one commit changes is told to all of them. */
export function composeRuntime(options: RuntimeOptions): Runtime {
  const { store, commits, clock, settings, paths, workerId, log, faultPoint, jobTypes, threads, fleet } = options
  const throughput = new Throughput(clock)
  const sweeper = new CancelSweeper({ store, commits, clock, log })
  const feeder = new UnitFeeder({ store, commits, clock, createId: uuidv7, home: paths.home, log })
  const resultsFileOf = (jobId: string) => join(paths.results, `${jobId}.jsonl`)
  const onEnded = ({ job, units, finalStepDone }: EndedUnits) => {
    throughput.ended(job, units)
    // The last of the test units may have left it held for review.
    jobClock.follow(job)
    if (finalStepDone) void rm(resultsFileOf(job.id), { force: true }).catch(() => undefined)
  }
  const inline = new InlineRunner({
    store,
    clock,
    compute: inlineResult,
    onEnded: ({ job, unitIds }) => throughput.ended(job, unitIds.length),
  })
  const supervisor = new AttemptSupervisor({
    store,
    commits,
    starters: startersOf(options),
    clock,
    random: Math.random,
    log,
    writeResults: async (jobId) => {
      await mkdir(paths.results, { recursive: true, mode: 0o700 })
      await writeFinalResults(store, jobId, resultsFileOf(jobId))
      return resultsFileOf(jobId)
    },
    resultsFileOf,
    onStarted: (job, jobOptions) => {
      jobClock.started(job, jobOptions)
      jobClock.follow(job)
    },
    onEnded,
    checkpointFormatOf: (type) => jobTypes.checkpointFormatOf(type),
    lookAgain: () => jobTypes.refresh(),
  })
  const jobClock = new JobClock({
    store,
    commits,
    clock,
    log,
    stop: (unitId) => supervisor.stop(unitId, 'cancel'),
  })
  const followChanges = (commit: Commit) => {
    const { runnable, stops, settled, feed, sweeps } = store.takeConsequences()
    dispatcher.offer(runnable)
    if (runnable.some(({ forGpu }) => forGpu)) commit.afterCommit(() => gpuWaits.wake())
    commit.afterCommit(() => {
      for (const held of stops) supervisor.stop(held.fence.unitId, 'cancel')
      for (const job of settled) forget(job)
      if (feed) feeder.wake()
      for (const jobId of sweeps) sweeper.sweep(jobId)
    })
  }
  commits.addClosingHook(followChanges)
  const createNonce = () => randomBytes(6).toString('hex')
  const needOf = (type: string) => {
    const handler = jobTypes.handlerOf(type)
    return handler === null ? null : gpuNeedOf(handler)
  }
  const dispatcher = new Dispatcher({
    store,
    commits,
    clock,
    executorOf: (type) => jobTypes.executorOf(type),
    typeLimitOf: (type) => jobTypes.limitOf(type),
    gpuPlacesFor: (type) => {
      const need = needOf(type)
      return need === null ? 0 : fleet.placesFor(need)
    },
    createNonce,
    pools: [
      {
        kind: 'inline',
        workerId,
        slots: inlineUnits,
        endsInCommit: true,
        start: (claims, commit) => {
          inline.run(claims, commit)
          followChanges(commit)
        },
      },
      {
        kind: 'command',
        workerId,
        slots: settings.slots,
        endsInCommit: false,
        start: (claims) => {
          faultPoint('claim.committed')
          supervisor.start('command', claims)
        },
      },
      {
        kind: 'thread',
        workerId,
        slots: settings.threads,
        endsInCommit: false,
        unitsPerSlot: (type) => threads.unitsPerSlot(type),
        start: (claims) => {
          faultPoint('claim.committed')
          supervisor.start('thread', claims)
        },
      },
      {
        kind: 'gpu',
        workerId,
        slots: settings.gpu_slots,
        endsInCommit: false,
        start: (claims) => {
          faultPoint('claim.committed')
          supervisor.start('gpu', claims)
        },
      },
    ],
  })
  const gpuWaits = new GpuWaits({
    store,
    commits,
    fleet,
    clock,
    needOf,
    claimAs: { workerId, createNonce },
    onPlaces: () => dispatcher.reloadTypes(),
    log,
  })
  supervisor.attachDispatcher(dispatcher)
  const forget = (job: Job) => {
    jobClock.ended(job.id)
    throughput.ended(job)
  }
  return { dispatcher, supervisor, feeder, jobClock, sweeper, throughput, gpuWaits }
}

function startersOf(options: RuntimeOptions): ReadonlyMap<ExecutorKind, AttemptStarter> {
  const { store, commits, executor, threads, remote, jobTypes, paths, settings, log } = options
  const dependencies = new DependencyValues(store)
  const commands = new CommandAttempts({ store, executor, dependencies })
  const handlers = new HandlerAttempts({
    store,
    executor: threads,
    dependencies,
    handlerOf: (type) => jobTypes.handlerOf(type),
    log,
    heapMegabytes: Math.round(settings.handler_heap / 1024 ** 2),
  })
  return new Map<ExecutorKind, AttemptStarter>([
    ['command', commands],
    ['thread', handlers],
    [
      'gpu',
      new GpuAttempts({
        store,
        commits,
        executor: remote,
        dependencies,
        handlerOf: (type) => jobTypes.handlerOf(type),
        paths,
        log,
      }),
    ],
  ])
}

const restoredPage = 500

/** Total timeouts go on after a restart, also of jobs of which nothing runs at this moment. */
export function restoreJobClocks(store: JobStore, jobClock: JobClock): void {
  let beforeSeq: number | undefined
  for (;;) {
    const page = store.listJobs(
      { states: ['running'] },
      { limit: restoredPage, ...(beforeSeq === undefined ? {} : { beforeSeq }) },
    )
    jobClock.restore(
      page.flatMap((job) => {
        const totalTimeoutMs = store.readJobPayload(job.id)?.options.totalTimeoutMs ?? null
        return totalTimeoutMs === null ? [] : [{ job, totalTimeoutMs }]
      }),
    )
    const last = page.at(-1)
    if (last === undefined || page.length < restoredPage) return
    beforeSeq = last.seq
  }
}
