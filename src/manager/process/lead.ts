import { userInfo } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { uuidv7 } from 'uuidv7'
import type { StatePaths } from '../../config/paths.ts'
import type { Settings } from '../../config/settings.ts'
import { version } from '../../config/version.ts'
import { systemClock } from '../../domain/clock.ts'
import type { JobStore } from '../../domain/ports/job-store.ts'
import { bootId, ownIdentity } from '../../platform/process-identity.ts'
import { CommitQueue } from '../runtime/commit-queue.ts'
import { EventHub } from '../runtime/event-hub.ts'
import type { createFaultPoints } from '../runtime/fault-points.ts'
import { IdleExit } from '../runtime/idle-exit.ts'
import { LeaseKeeper } from '../runtime/lease-keeper.ts'
import { Recoverer } from '../runtime/recoverer.ts'
import { StorageGuard } from '../runtime/storage-guard.ts'
import { JobTypeRegistry } from '../services/job-type-registry.ts'
import type { ServiceContext } from '../services/service-context.ts'
import { composeBackground } from './compose-background.ts'
import { composeExecutors } from './compose-executors.ts'
import { GpuToCome } from './compose-gpu.ts'
import { HandlersToCome } from './compose-handlers.ts'
import { composeRuntime, restoreJobClocks } from './compose-runtime.ts'
import { Guardian } from './guardian.ts'
import { removeHealScript, writeCommandLine, writeHealScript } from './heal-script.ts'
import type { LeaderLock } from './leadership.ts'
import type { ManagerRecord } from './manager-record.ts'
import { guardedStorage, openState } from './open-state.ts'
import type { Service } from './serve-calls.ts'
import { Shutdown, type StopOrder } from './shutdown.ts'
import { prepareSocketPath } from './socket-path.ts'

/** Commands that waited are started within this time; loading the rest of the program would hold them up. */
const headStartMs = 10
/** Ends the process when the storage cannot be trusted or another manager leads. */
const storageExitCode = 74
const epochExitCode = 75

/** What it takes to lead a state directory. */
export interface Leading {
  readonly paths: StatePaths
  readonly settings: Settings
  readonly log: Logger
  readonly faults: ReturnType<typeof createFaultPoints>
  readonly lock: LeaderLock
  readonly record: ManagerRecord
  readonly commandUmask: number
}

/** Opens the state, takes over what runs, and serves until it is stopped. @throws QueueError when the state cannot be used */
export async function lead({ paths, settings, log, faults, lock, record, commandUmask }: Leading): Promise<void> {
  const clock = systemClock
  const state = openState(paths, clock, log)
  const { store, epoch, instanceId } = state
  record.write({ instance_id: instanceId, epoch })
  log.info({ epoch, version, home: paths.home }, 'leading')

  const endLoudly = (code: number, reason: string) => {
    log.fatal({ code }, reason)
    process.exit(code)
  }

  const checkDatabaseFile = () => {
    if (state.isStillOurs()) return
    endLoudly(
      storageExitCode,
      `${paths.database} is no longer the file this manager opened: it was deleted or replaced`,
    )
  }
  const workerId = `commands-${epoch}`
  const storage = new StorageGuard({
    storage: guardedStorage(store, paths, () =>
      store.heartbeatWorker(workerId, clock.now(), clock.now() + settings.lease),
    ),
    home: paths.home,
    floorBytes: settings.free_space_floor,
    log,
    giveUp: (reason) => endLoudly(storageExitCode, reason),
    checkIdentity: () => checkDatabaseFile(),
    onRecovered: () => {
      // What a group took from the index may still be claimable, and what it reported as failed may stand.
      dispatcher.rebuild()
      feeder.wake()
      service?.scheduler.wake()
      recoverer
        .reconcile()
        .then(() => recoverer.reconcileRemote())
        .catch((error: unknown) => log.error({ err: error }, 'reconciling failed'))
    },
  })
  const commits = new CommitQueue({
    store,
    faultPoint: faults.reach,
    isStorageFault: (error) => storage.isStorageFault(error),
    onGroupFailure: (error) => storage.onGroupFailure(error),
    onHookError: (error) => log.error({ err: error }, 'a closing hook failed'),
    onEpochLost: (error) => endLoudly(epochExitCode, error.message),
  })
  storage.attach(commits)
  const events = new EventHub(store, commits)
  // Runners of another boot, or of the original of a copied state directory, are not this manager's to adopt.
  const runnerBootId = `${bootId()}.${instanceId}`
  const { commands, threads } = composeExecutors({
    paths,
    settings,
    instanceId,
    bootId: runnerBootId,
    epoch,
    clock,
    log,
    faultPoint: faults.reach,
    commandUmask,
  })
  const handlers = new HandlersToCome()
  const jobTypes = new JobTypeRegistry(handlers)
  const gpu = new GpuToCome({ paths, leaseMs: Math.max(1_000, settings.gpu_lease), clock, log })
  const runtime = composeRuntime({
    store,
    commits,
    executor: commands,
    threads,
    remote: gpu,
    fleet: gpu,
    jobTypes,
    clock,
    settings,
    paths,
    workerId,
    log,
    faultPoint: faults.reach,
  })
  const { dispatcher, supervisor, feeder, jobClock } = runtime
  const recoverer = new Recoverer({ store, commits, supervisor, workerId, log })
  const keeper = new LeaseKeeper({
    store,
    commits,
    supervisor,
    recoverer,
    clock,
    workerId,
    leaseMs: settings.lease,
    log,
    onRetriesMoved: () => dispatcher.rebuild(),
    onBeat: () => {
      void jobClock.beat()
      guardian.rest()
    },
    checkIdentity: () => {
      checkDatabaseFile()
      state.noteHighWater()
    },
  })
  const background = composeBackground({
    store,
    commits,
    clock,
    settings,
    paths,
    instanceId,
    bootId: runnerBootId,
    log,
  })
  const { reader, deletion, retention } = background

  let service: Service | null = null
  const guardian = new Guardian({
    shell: settings.shell,
    healScript: paths.healScript,
    home: paths.home,
    hasWork: () => supervisor.running > 0 || dispatcher.waitingJobs > 0 || service?.scheduler.hasEnabled() === true,
  })
  commits.addCommitListener(() => guardian.work())
  const idle = new IdleExit({
    clock,
    idleMs: settings.idle_exit,
    isNeeded: () =>
      supervisor.running > 0 ||
      dispatcher.waitingJobs > 0 ||
      (service?.listener.connections() ?? 0) > 0 ||
      service?.scheduler.hasEnabled() === true ||
      hasUnfinishedJob(store),
    exit: () => shutdown.request({ drainMs: 0, running: 'leave', reason: 'idle' }),
  })
  const closing = new AbortController()
  const recordStop = ({ reason }: Pick<StopOrder, 'reason'>) => {
    // After a handover a successor must come: the runners may still call it.
    if (reason !== 'handover') removeHealScript(paths.healScript)
    record.write({ socket: null, state: reason === 'user' ? 'stopped' : reason })
  }
  const shutdown = new Shutdown({
    dispatcher,
    supervisor,
    listener: () => service?.listener ?? null,
    answerWaiting: () => closing.abort(),
    abandon: () => recordStop({ reason: 'user' }),
    exit: (code) => process.exit(code),
    log,
    stopBackground: async () => {
      runtime.sweeper.stop()
      runtime.gpuWaits.stop()
      await Promise.all([
        handlers.close(),
        gpu.close(),
        service?.scheduler.stop(),
        feeder.stop(),
        retention.stop(),
        jobClock.close(),
      ])
      await reader.close()
    },
    finish: (order) => {
      idle.stop()
      // After a handover a successor must come.
      if (order.reason !== 'handover') guardian.dismiss()
      keeper.stop()
      state.noteHighWater()
      if (supervisor.running === 0) store.stopWorker(workerId, clock.now())
      store.close()
      recordStop(order)
      lock.release()
    },
  })

  const context: ServiceContext = {
    store,
    commits,
    clock,
    settings,
    supervisor,
    dispatcher,
    executor: commands,
    threads,
    jobTypes,
    fleet: gpu,
    events,
    storage,
    feeder,
    jobClock,
    throughput: runtime.throughput,
    scheduler: { wake: () => service?.scheduler.wake() },
    reader,
    deletion,
    facts: {
      instanceId,
      version,
      pid: process.pid,
      epoch,
      startedAt: clock.now(),
      home: paths.home,
      user: userInfo().username,
      deathsFile: paths.deathsFile,
    },
    createId: uuidv7,
    faultPoint: faults.reach,
    requestStop: ({ drainMs, running, reason }) => setImmediate(() => shutdown.request({ drainMs, running, reason })),
    isDraining: () => shutdown.isDraining,
    closing: closing.signal,
  }

  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => shutdown.onSignal(signal))
  process.on('SIGHUP', () => log.info('SIGHUP ignored: a closing terminal is no reason to stop'))
  process.on('uncaughtException', (error) => endLoudly(1, `uncaught: ${error.stack ?? error.message}`))
  process.on('unhandledRejection', (error) =>
    endLoudly(1, `unhandled rejection: ${error instanceof Error ? error.stack : String(error)}`),
  )

  await commits.run(() =>
    store.registerWorker(
      { id: workerId, kind: 'command', name: 'commands of this machine', pid: process.pid, slots: settings.slots },
      clock.now(),
      clock.now() + settings.lease,
    ),
  )
  writeHealScript(paths.healScript, ownIdentity(), paths.home)
  writeCommandLine(paths.commandLine)
  // Adoption precedes everything that could start the same work again.
  await threads.open()
  const leftAtWorkers = await recoverer.reconcile()
  threads.adopted()
  restoreJobClocks(store, jobClock)
  keeper.start()
  dispatcher.start()
  feeder.start()
  runtime.sweeper.start()
  await commits.run(() => undefined)
  if (supervisor.running > 0) await delay(headStartMs)
  handlers.onChange(() => {
    dispatcher.reloadTypes()
    runtime.gpuWaits.wake()
  })
  const socket = prepareSocketPath(paths, epoch)
  const [{ serveCalls }] = await Promise.all([import('./serve-calls.ts'), handlers.load(paths, settings, log)])
  if (gpu.isConfigured() || leftAtWorkers > 0) await gpu.load()
  if (leftAtWorkers > 0) await recoverer.reconcileRemote()
  service = await serveCalls(context, log, socket)
  record.write({ socket, state: 'leading' })
  background.pruner.start()
  retention.start()
  idle.start()
  service.scheduler.start()
  log.info({ socket, adopted: supervisor.running }, 'ready')
}

function hasUnfinishedJob(store: JobStore): boolean {
  return store.listJobs({ states: ['queued', 'running'] }, { limit: 1 }).length > 0
}
