import { randomBytes, randomUUID } from 'node:crypto'
import { readFileSync, realpathSync, statSync } from 'node:fs'
import { totalmem } from 'node:os'
import { version } from '../config/version.ts'
import { type Clock, systemClock } from '../domain/clock.ts'
import { QueueError } from '../domain/errors.ts'
import { ownTypeNames } from '../domain/handler-info.ts'
import type { WireGpu } from '../domain/wire/prediction.ts'
import { makeDirectory } from '../platform/make-directory.ts'
import { assertOurs } from '../platform/own-directory.ts'
import { bootId as machineBootId } from '../platform/process-identity.ts'
import type { ExecutorLog } from '../workers/executor-context.ts'
import { HandlerCatalogue } from '../workers/handler-files/handler-catalogue.ts'
import { availableBuiltIns } from '../workers/handlers/available-built-ins.ts'
import { createThreadExecutor } from '../workers/threads/thread-executor.ts'
import { type GpuLook, Gpus } from './devices/gpus.ts'
import { createApi } from './http/create-api.ts'
import { type Listener, listen, type TlsFiles } from './http/listener.ts'
import { defaultReceivePace, type ReceivePace } from './http/read-request.ts'
import { readKeyFile } from './key-file.ts'
import { assertExposable, parseListen } from './listen-address.ts'
import { programEnvironment } from './program-environment.ts'
import { endInterrupted } from './runs/end-interrupted.ts'
import { Predictions } from './runs/predictions.ts'
import { ServedTypes } from './served-types.ts'
import { defaultFileLimits, FileStore, type FileStoreLimits } from './storage/file-store.ts'
import { removeOld, removeStrayAttempts } from './storage/housekeeping.ts'
import { nextInstance } from './storage/instance-file.ts'
import { Journal } from './storage/journal.ts'
import { lockState } from './storage/state-lock.ts'
import { type WorkerPaths, workerPaths } from './storage/worker-paths.ts'
import { readCommandTemplates } from './templates/command-templates.ts'

export interface WorkerOptions {
  /** State directory of this worker, absolute. */
  readonly home: string
  /** HOST:PORT; port 0: any. */
  readonly listen: string
  /** Null: no key, for this machine alone. */
  readonly keyFile: string | null
  /** PEM files, both or none. */
  readonly tlsCert: string | null
  readonly tlsKey: string | null
  /** Predictions at a time. */
  readonly slots: number
  /** JSON file with the programs that serve job types; null: none. */
  readonly commands: string | null
  /** Directory with own handlers, absolute; need not exist. */
  readonly handlers: string
  readonly allowSoftwareAdapter: boolean
  readonly environment: NodeJS.ProcessEnv
  readonly log: ExecutorLog
  /** Of leases and of what is kept how long; tests give their own. */
  readonly clock?: Clock
  readonly gpuLook?: GpuLook
  readonly pace?: ReceivePace
  readonly fileLimits?: FileStoreLimits
}

/** A worker that listens. */
export interface Worker {
  readonly url: string
  readonly port: number
  readonly bootId: string
  readonly gpus: readonly WireGpu[]
  readonly jobTypes: readonly string[]
  /** Looks at all leases now; it does so by itself several times a second. */
  checkLeases(): void
  /** Removes what is older than a day; it does so by itself now and then. */
  removeOld(): Promise<void>
  /** Refuses new predictions, ends what runs; at most 10 s. */
  close(): Promise<void>
}

const leaseLookMs = 250
const handlersLookMs = 10_000
const removalMs = 10 * 60_000
/** Together with what follows within the 10 s that a service manager waits. */
const stopLimitMs = 7_000
const answerGraceMs = 1_000
const terminateMs = 2_000
/**
 * A host whose worker is gone ends its runs after so long: nobody watches their leases, and the next worker would end them too.
 */
const unclaimedMs = 5_000

/**
 * Makes a worker that serves and listens.
 * @throws QueueError config_invalid, invalid_transition while another worker uses the state directory
 */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const address = parseListen(options.listen)
  assertExposable(address, { key: options.keyFile !== null, tls: options.tlsCert !== null })
  const key = options.keyFile === null ? null : readKeyFile(options.keyFile, options.environment)
  const tls = readTls(options)
  const environment = programEnvironment(options.environment)
  const templates = readCommandTemplates(options.commands, environment)
  const paths = makeState(options.home)
  const unlock = lockState(paths.lock)
  try {
    return await serve(options, { paths, address, key, tls, environment, templates, unlock })
  } catch (error) {
    unlock()
    throw error
  }
}

interface Prepared {
  readonly paths: WorkerPaths
  readonly address: ReturnType<typeof parseListen>
  readonly key: ReturnType<typeof readKeyFile> | null
  readonly tls: TlsFiles | null
  readonly environment: Readonly<Record<string, string>>
  readonly templates: ReturnType<typeof readCommandTemplates>
  readonly unlock: () => void
}

async function serve(options: WorkerOptions, prepared: Prepared): Promise<Worker> {
  const { log, slots, clock = systemClock, pace = defaultReceivePace } = options
  const { paths, address, key, tls, environment, templates, unlock } = prepared
  const bootId = randomUUID()
  const { instanceId, epoch } = nextInstance(paths.instance)
  const journal = new Journal(paths)
  const unfinished = journal.open((file) => log.error({ file }, 'a prediction could not be read and is removed'))
  const files = new FileStore(paths.files, options.fileLimits ?? defaultFileLimits)
  files.open()
  const catalogue = new HandlerCatalogue({
    directory: options.handlers,
    cacheFile: paths.state.handlerCatalogue,
    builtIns: availableBuiltIns(version),
    reserved: ownTypeNames,
    warn: (message, error) => log.warn({ err: error }, message),
  })
  const executor = createThreadExecutor({
    paths: paths.state,
    instanceId,
    bootId: `${machineBootId()}.${instanceId}`,
    version,
    epoch,
    clock: systemClock,
    settings: { threads: slots, memoryBytes: Math.floor(totalmem() / 2), terminateMs, unclaimedMs },
    environment,
    log,
  })
  const gpus = new Gpus(clock, options.allowSoftwareAdapter, options.gpuLook)
  const types = new ServedTypes(catalogue, templates)
  const predictions = new Predictions({
    paths,
    journal,
    files,
    executor,
    types,
    gpus,
    slots,
    bootId,
    clock,
    log,
    nonce: () => randomBytes(9).toString('hex'),
  })
  let listener: Listener
  try {
    await Promise.all([gpus.list(), catalogue.refresh(), executor.open()])
    await endInterrupted({ paths, journal, files, executor, clock, log }, unfinished)
    await removeStrayAttempts(paths, journal)
    const newId = () => randomUUID()
    const api = createApi({ predictions, files, types, gpus, slots, bootId, key, log, pace, newId })
    listener = await listen(api, address, tls)
    executor.warm()
  } catch (error) {
    executor.detach()
    await catalogue.close()
    throw error
  }
  const sweep = () => removeOld({ journal, files, predictions, clock })
  const sweepSafely = () =>
    void sweep().catch((error: unknown) => log.error({ err: error }, 'old files could not be removed'))
  sweepSafely()
  // A directory that was not there at the start has no watch.
  const lookForHandlers = () =>
    void catalogue.refresh().catch((error: unknown) => log.warn({ err: error }, 'the handlers could not be looked at'))
  const timers = [
    setInterval(() => predictions.checkLeases(), leaseLookMs),
    setInterval(sweepSafely, removalMs),
    setInterval(lookForHandlers, handlersLookMs),
  ]
  let closing: Promise<void> | null = null
  const close = async (): Promise<void> => {
    const stopped = predictions.close(stopLimitMs)
    await Promise.all([stopped, listener.close(answerGraceMs)])
    for (const timer of timers) clearInterval(timer)
    executor.detach()
    await catalogue.close()
    unlock()
  }
  return {
    url: listener.url,
    port: listener.port,
    bootId,
    gpus: await gpus.list(),
    jobTypes: types.all().map(({ type }) => type),
    checkLeases: () => predictions.checkLeases(),
    removeOld: sweep,
    close: () => {
      closing ??= close()
      return closing
    },
  }
}

function makeState(home: string): WorkerPaths {
  makeDirectory(home)
  // That of a systemd service with a user of its own is reached by a link.
  const real = realpathSync(home)
  assertOurs(real)
  const paths = workerPaths(real)
  for (const folder of [paths.predictions, paths.files, paths.state.attempts, paths.state.hosts]) makeDirectory(folder)
  return paths
}

function readTls({ tlsCert, tlsKey }: WorkerOptions): TlsFiles | null {
  if (tlsCert === null && tlsKey === null) return null
  if (tlsCert === null || tlsKey === null) {
    throw new QueueError('invalid_input', '--tls-cert and --tls-key belong together: only one of them is given', {
      remedy: 'Give both. nightkiln worker init --tls makes both.',
    })
  }
  const key = readPem(tlsKey, 'key of the certificate')
  // Links and groups are left alone: that is how certificate tools and service managers hand keys over.
  if (process.platform !== 'win32' && (statSync(tlsKey).mode & 0o007) !== 0) {
    throw new QueueError(
      'config_invalid',
      `the key of the certificate ${tlsKey} cannot be used: everybody on this machine can reach it`,
      { remedy: `Run: chmod 600 ${tlsKey}, and make a new one if others had access.` },
    )
  }
  return { cert: readPem(tlsCert, 'certificate'), key }
}

function readPem(file: string, what: string): string {
  try {
    const text = readFileSync(file, 'utf8')
    if (text.includes('-----BEGIN ')) return text
  } catch (error) {
    throw unusablePem(file, what, (error as Error).message)
  }
  throw unusablePem(file, what, 'it is not in PEM form')
}

function unusablePem(file: string, what: string, why: string): QueueError {
  return new QueueError('config_invalid', `the ${what} ${file} cannot be used: ${why}`, {
    remedy: 'Make both with: nightkiln worker init --tls',
  })
}
