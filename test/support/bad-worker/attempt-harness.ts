import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Progress } from '../../../src/domain/job.ts'
import type { AttemptControl, AttemptEnd } from '../../../src/domain/ports/attempt.ts'
import type { OpenAttemptLog } from '../../../src/domain/ports/attempt-log.ts'
import type {
  Checkpoint,
  RemoteExecutor,
  RemoteIdentity,
  RemoteObserver,
  RemoteTask,
} from '../../../src/domain/ports/remote-executor.ts'
import type { Device } from '../../../src/domain/wire/prediction.ts'
import type { AttemptFleet } from '../../../src/gpu-client/attempts/attempt-setting.ts'
import { createRemoteExecutor } from '../../../src/gpu-client/attempts/remote-executor.ts'
import { type CogClient, cogClientOver } from '../../../src/gpu-client/cog-client.ts'
import { clientOver } from '../../../src/gpu-client/http/create-worker-client.ts'
import type { WorkerTimeouts } from '../../../src/gpu-client/http/timeouts.ts'
import { createWorkerChannel } from '../../../src/gpu-client/http/worker-channel.ts'
import type { WorkerClient } from '../../../src/gpu-client/worker-client.ts'
import { openAttemptLog } from '../../../src/workers/attempt-log.ts'
import { createFakeClock, type FakeClock } from '../fake-clock.ts'
import { useTemporaryHome } from '../temporary-home.ts'

/** Never in anything that is told, logged or written. */
export const canaryKey = 'canary-4f1c9d2e7a-key'

/** Long enough for a busy machine to answer; a worker that hangs is tested with shorter ones. */
export const patientTimeouts: WorkerTimeouts = { connectMs: 3_000, headersMs: 5_000, bodyMs: 5_000, totalMs: 8_000 }

export interface HarnessWorker {
  readonly name: string
  readonly url: string
  readonly ca?: string
  readonly mode?: 'full' | 'cog'
  readonly key?: string | null
}

export interface HarnessOptions {
  readonly clock?: FakeClock
  readonly workers: readonly HarnessWorker[]
  readonly timeouts?: WorkerTimeouts
  /** Called before each pause with its length; what it does happens while the attempt waits. */
  readonly onPause?: (ms: number) => void | Promise<void>
  readonly offering?: (remote: RemoteIdentity) => boolean | Promise<boolean>
  readonly checkpointed?: (checkpoint: Checkpoint) => boolean
  readonly ended?: () => void
  readonly openLog?: OpenAttemptLog
}

/** What an attempt told, in order. */
export interface Told {
  readonly offered: RemoteIdentity[]
  readonly progress: Progress[]
  readonly devices: Device[]
  readonly checkpoints: Checkpoint[]
  readonly ends: AttemptEnd[]
  readonly logLines: unknown[]
  readonly faults: string[]
  /** Places taken at workers and not given back. */
  held: number
}

export interface StartedAttempt {
  readonly control: AttemptControl
  /** Its first end. */
  readonly ended: Promise<AttemptEnd>
}

export interface AttemptHarness {
  readonly clock: FakeClock
  readonly told: Told
  readonly executor: RemoteExecutor
  readonly pauses: readonly number[]
  readonly directory: string
  task(changes?: Partial<RemoteTask>): RemoteTask
  start(changes?: Partial<RemoteTask>): StartedAttempt
  adopt(remote: RemoteIdentity | null, changes?: Partial<RemoteTask>): StartedAttempt
  /** From now on the name is that of another worker. */
  configure(worker: HarnessWorker): void
  /** Everything that was told, logged or written, as text. */
  everything(): string
}

/** Attempts over real HTTP on a clock that a pause moves on: an hour of waiting takes no time. */
export function useAttempts(options: HarnessOptions): AttemptHarness {
  const clock = options.clock ?? createFakeClock()
  const { home } = useTemporaryHome()
  const directory = join(home, 'attempts', 'u.1.n')
  const told: Told = {
    offered: [],
    progress: [],
    devices: [],
    checkpoints: [],
    ends: [],
    logLines: [],
    faults: [],
    held: 0,
  }
  const pauses: number[] = []
  const clients = new Map<string, { url: string; full: WorkerClient; cog: CogClient; mode: 'full' | 'cog' }>()
  const configure = ({ name, url, ca, mode, key }: HarnessWorker): void => {
    const channel = createWorkerChannel({
      url,
      readKey: async () => (key === undefined ? canaryKey : key),
      ca: ca ?? null,
      timeouts: options.timeouts ?? patientTimeouts,
      clock,
    })
    onTestFinished(() => channel.close())
    const full = clientOver(channel, name, options.timeouts ?? patientTimeouts)
    clients.set(name, { url, full, cog: cogClientOver(channel), mode: mode ?? 'full' })
  }
  for (const worker of options.workers) configure(worker)

  const place = (worker: string): ReturnType<AttemptFleet['occupy']> => {
    told.held += 1
    let isHeld = true
    return {
      worker,
      mode: clients.get(worker)?.mode ?? 'full',
      release() {
        if (isHeld) told.held -= 1
        isHeld = false
      },
    }
  }
  const fleet: AttemptFleet = {
    reserve(_need, exclude) {
      const found = options.workers.find(({ name }) => !exclude.has(name))
      return found === undefined ? null : place(found.name)
    },
    occupy: place,
    clientOf: (worker) => clients.get(worker)?.full ?? null,
    cogClientOf: (worker) => clients.get(worker)?.cog ?? null,
    entryOf: (worker) => {
      const url = clients.get(worker)?.url
      return url === undefined ? null : { url }
    },
    outlookOf: () => ({ kind: 'ready' }),
    reportFault: (worker, fault) => void told.faults.push(`${worker} ${fault.kind} ${fault.code}`),
    reportSuccess: () => undefined,
  }
  const logged = (details: object, message: string): void => void told.logLines.push({ message, ...plain(details) })
  const executor = createRemoteExecutor({
    fleet,
    openLog: options.openLog ?? openAttemptLog,
    clock,
    random: () => 0.5,
    createId: randomUUID,
    log: { debug: logged, warn: logged },
    sleep: async (ms) => {
      pauses.push(ms)
      await options.onPause?.(ms)
      clock.advance(Math.ceil(ms))
      await new Promise((resolve) => setImmediate(resolve))
    },
  })
  onTestFinished(() => executor.detach())

  const task = (changes: Partial<RemoteTask> = {}): RemoteTask => ({
    type: 'sum',
    version: '1',
    gpuMemoryMegabytes: null,
    pure: false,
    fence: { unitId: 'u', attempt: 1, nonce: 'n', workerId: 'w' },
    jobId: 'j',
    params: { paths: 1_000 },
    unit: undefined,
    position: 0,
    dependencies: {},
    checkpoint: null,
    checkpointFormat: 'sum/1',
    onLeaseEnd: 'cancel',
    fallback: 'after_lease',
    unitTimeoutMs: null,
    idleTimeoutMs: null,
    cancelGraceMs: 3_000,
    maxOutputBytes: 10 * 1024 * 1024,
    elapsedMs: 0,
    earlierRestarts: 0,
    directory,
    ...changes,
  })

  const observed = (begin: (observer: RemoteObserver) => AttemptControl): StartedAttempt => {
    let end: (end: AttemptEnd) => void = () => undefined
    const ended = new Promise<AttemptEnd>((resolve) => {
      end = resolve
    })
    const control = begin({
      started: () => undefined,
      progressed: (progress) => void told.progress.push(progress),
      computesOn: (device) => void told.devices.push(device),
      async offering(remote) {
        const isOurs = (await options.offering?.(remote)) ?? true
        told.offered.push(remote)
        return isOurs
      },
      async checkpointed(checkpoint) {
        told.checkpoints.push(checkpoint)
        return options.checkpointed?.(checkpoint) ?? true
      },
      ended(one) {
        told.ends.push(one)
        end(one)
        options.ended?.()
      },
    })
    return { control, ended }
  }

  return {
    clock,
    told,
    executor,
    pauses,
    directory,
    task,
    start: (changes) => observed((observer) => executor.start(task(changes), observer)),
    adopt: (remote, changes) => observed((observer) => executor.adopt(task(changes), remote, observer)),
    configure,
    everything: () => JSON.stringify(told) + filesUnder(home),
  }
}

function plain(details: object): object {
  return Object.fromEntries(
    Object.entries(details).map(([name, value]) => [name, value instanceof Error ? errorText(value) : value]),
  )
}

/** As a log would show it: message, own fields, and all causes. */
function errorText(error: Error): string {
  const cause = error.cause instanceof Error ? errorText(error.cause) : ''
  return `${error.stack} ${JSON.stringify(error)} ${cause}`
}

function filesUnder(directory: string): string {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.name}\n${readFileSync(join(entry.parentPath, entry.name), 'latin1')}`)
    .join('\n')
}
