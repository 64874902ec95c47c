import { statfsSync } from 'node:fs'
import { userInfo } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { uuidv7 } from 'uuidv7'
import { readManagerFile } from '../../client/manager-file.ts'
import type { StatePaths } from '../../config/paths.ts'
import { readSettings, type Settings } from '../../config/settings.ts'
import { version } from '../../config/version.ts'
import { systemClock } from '../../domain/clock.ts'
import { Ballast } from '../../persistence/ballast.ts'
import {
  captureFileIdentity,
  checkIdentityAtStart,
  isSameFile,
  raiseHighWater,
  readOrCreateIdentity,
} from '../../persistence/identity.ts'
import { tryAcquireLeaderLock } from '../../persistence/leader-lock.ts'
import { openJobStore } from '../../persistence/open-job-store.ts'
import type { SqliteJobStore } from '../../persistence/sqlite-job-store.ts'
import { storageProblemOf } from '../../persistence/storage-errors.ts'
import { recordDeath } from '../../platform/deaths-file.ts'
import { directoryIdentity } from '../../platform/directory-identity.ts'
import { bootId, ownIdentity } from '../../platform/process-identity.ts'
import { createCommandExecutor } from '../../workers/command-executor.ts'
import { removeAttempts, sweepAttempts } from '../../workers/remove-attempts.ts'
import { CommitQueue } from '../runtime/commit-queue.ts'
import { EventHub } from '../runtime/event-hub.ts'
import { EventPruner } from '../runtime/event-pruner.ts'
import { createFaultPoints } from '../runtime/fault-points.ts'
import { IdleExit } from '../runtime/idle-exit.ts'
import { JobDeletion } from '../runtime/job-deletion.ts'
import { LeaseKeeper } from '../runtime/lease-keeper.ts'
import { ReaderThread } from '../runtime/reader-thread.ts'
import { Recoverer } from '../runtime/recoverer.ts'
import { Retention } from '../runtime/retention.ts'
import { StorageGuard } from '../runtime/storage-guard.ts'
import type { ServiceContext } from '../services/service-context.ts'
import { removeOrphanSpools } from '../services/source-spool.ts'
import { composeRuntime, restoreJobClocks } from './compose-runtime.ts'
import { removeHealScript, writeCommandLine, writeHealScript } from './heal-script.ts'
import { becomeLeader, type LeaderLock } from './leadership.ts'
import { ManagerRecord } from './manager-record.ts'
import { createRotatingLog } from './rotating-log.ts'
import type { Service } from './serve-calls.ts'
import { Shutdown, type StopOrder } from './shutdown.ts'
import { prepareSocketPath } from './socket-path.ts'
import { prepareStateDirectory } from './state-directory.ts'

/** Deaths older than this say nothing about the present. */
const deathMemoryMs = 24 * 3_600_000
/** Commands that waited are started within this time; loading the rest of the program would hold them up. */
const headStartMs = 10
const startupSpaceBytes = 512 * 1024
/** Ends the process when the storage cannot be trusted or another manager leads. */
const storageExitCode = 74
const epochExitCode = 75

/**
 * Becomes the manager of a state directory and runs until it is stopped; returns early when another living manager leads.
 * @param commandUmask for the commands; the manager's own is narrower
 * @throws QueueError when the state cannot be used
 */
export async function runManager(paths: StatePaths, commandUmask: number): Promise<void> {
  prepareStateDirectory(paths)
  releaseBallastOnFullDisk(paths)
  const settings = readSettings(paths.configFile)
  const log = createRotatingLog(paths.managerLog, { level: settings.log_level, maxBytes: settings.log_max })
  const faults = createFaultPoints(process.env)
  const previous = readManagerFile(paths.managerFile)
  const lock = await becomeLeader({
    managerFile: paths.managerFile,
    tryLock: () => tryAcquireLeaderLock(paths.lockDatabase),
    probeTimeoutMs: settings.probe_timeout,
    probeCount: settings.probe_count,
    log,
    skipKill: faults.isSkipped('takeover.kill'),
  })
  if (lock === null) {
    log.debug('another manager leads')
    return
  }
  const record = new ManagerRecord(paths.managerFile, version)
  const last = readManagerFile(paths.managerFile) ?? previous
  if (last !== null && (last.state === 'leading' || last.state === 'starting')) {
    const now = systemClock.now()
    recordDeath(paths.deathsFile, { at: now, epoch: last.epoch, pid: last.pid }, now - deathMemoryMs)
  }
  record.write({ state: 'starting' })
  await lead({ paths, settings, log, faults, lock, record, commandUmask })
}

interface Leading {
  readonly paths: StatePaths
  readonly settings: Settings
  readonly log: Logger
  readonly faults: ReturnType<typeof createFaultPoints>
  readonly lock: LeaderLock
  readonly record: ManagerRecord
  readonly commandUmask: number
}

async function lead({ paths, settings, log, faults, lock, record, commandUmask }: Leading): Promise<void> {
  const clock = systemClock
  const store = openJobStore({
    databaseFile: paths.database,
    backupsDirectory: paths.backups,
    identityFile: paths.instanceFile,
    appVersion: version,
    clock,
  })
  checkIdentityAtStart(store, paths.instanceFile)
  const epoch = store.raiseEpoch(`${process.pid}`, clock.now())
  let identity = readOrCreateIdentity(store, paths.instanceFile, uuidv7(), clock.now(), directoryIdentity(paths.home))
  record.write({ instance_id: identity.instanceId, epoch })
  log.info({ epoch, version, home: paths.home }, 'leading')
  const databaseIdentity = captureFileIdentity(paths.database)

  const endLoudly = (code: number, reason: string) => {
    log.fatal({ code }, reason)
    process.exit(code)
  }

  const checkDatabaseFile = () => {
    if (isSameFile(paths.database, databaseIdentity)) return
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
      recoverer.reconcile().catch((error: unknown) => log.error({ err: error }, 'reconciling failed'))
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
  const runnerBootId = `${bootId()}.${identity.instanceId}`
  const executor = createCommandExecutor({
    paths,
    instanceId: identity.instanceId,
    clock,
    shell: settings.shell,
    bootId: runnerBootId,
    log,
    faultPoint: faults.reach,
    commandUmask,
  })
  const runtime = composeRuntime({
    store,
    commits,
    executor,
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
    onBeat: () => void jobClock.beat(),
    checkIdentity: () => {
      checkDatabaseFile()
      noteHighWater()
    },
  })
  const noteHighWater = () => {
    try {
      identity = raiseHighWater(paths.instanceFile, identity, store.lastEventId())
    } catch (error) {
      // A mark that is behind only makes the check at the next start weaker; a full disk must not end the manager.
      log.warn({ err: error }, 'the high-water mark could not be written')
    }
  }
  const pruner = new EventPruner(store, commits)
  const reader = new ReaderThread({ databaseFile: paths.database, instanceId: identity.instanceId, log })
  const deletion = new JobDeletion({
    store,
    commits,
    clock,
    log,
    removeAttempts: (attempts) => removeAttempts(paths, runnerBootId, attempts),
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
      await sweepAttempts(paths, runnerBootId, (unitIds) => reader.findUnits(unitIds))
    },
  })

  let service: Service | null = null
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
      await Promise.all([service?.scheduler.stop(), feeder.stop(), retention.stop(), jobClock.close()])
      await reader.close()
    },
    finish: (order) => {
      idle.stop()
      keeper.stop()
      noteHighWater()
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
    executor,
    events,
    storage,
    feeder,
    jobClock,
    throughput: runtime.throughput,
    scheduler: { wake: () => service?.scheduler.wake() },
    reader,
    deletion,
    facts: {
      instanceId: identity.instanceId,
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
  await recoverer.reconcile()
  restoreJobClocks(store, jobClock)
  keeper.start()
  dispatcher.start()
  feeder.start()
  runtime.sweeper.start()
  await commits.run(() => undefined)
  if (supervisor.running > 0) await delay(headStartMs)
  const socket = prepareSocketPath(paths, epoch)
  const { serveCalls } = await import('./serve-calls.ts')
  service = await serveCalls(context, log, socket)
  record.write({ socket, state: 'leading' })
  pruner.start()
  retention.start()
  idle.start()
  service.scheduler.start()
  log.info({ socket, adopted: supervisor.running }, 'ready')
}

/** On a full disk not even the files of a starting manager could be written; what runs must be adopted all the same. */
function releaseBallastOnFullDisk(paths: StatePaths): void {
  const { bavail, bsize } = statfsSync(paths.home)
  if (bavail * bsize < startupSpaceBytes) new Ballast(paths.ballastFile).release()
}

function hasUnfinishedJob(store: SqliteJobStore): boolean {
  return store.listJobs({ states: ['queued', 'running'] }, { limit: 1 }).length > 0
}

/** @param write something small that needs a sync: an empty commit would succeed on a disk that takes nothing. */
function guardedStorage(store: SqliteJobStore, paths: StatePaths, write: () => void) {
  const ballast = new Ballast(paths.ballastFile)
  return {
    reopen: () => {
      store.reopen()
      write()
    },
    classify: (error: unknown) => storageProblemOf(error) ?? ('other' as const),
    releaseBallast: () => ballast.release(),
    restoreBallast: () => ballast.restore(),
  }
}
