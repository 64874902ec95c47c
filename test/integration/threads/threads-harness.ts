import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { attemptDirectory, type StatePaths, statePaths } from '../../../src/config/paths.ts'
import { systemClock } from '../../../src/domain/clock.ts'
import type { Fence, Json, Progress } from '../../../src/domain/job.ts'
import type { AttemptControl, AttemptEnd, AttemptObserver } from '../../../src/domain/ports/attempt.ts'
import type { HandlerJob, HandlerTask, ThreadExecutor } from '../../../src/domain/ports/thread-executor.ts'
import type { Device } from '../../../src/domain/wire/prediction.ts'
import { bootId } from '../../../src/platform/process-identity.ts'
import { attemptKey } from '../../../src/workers/threads/attempt-key.ts'
import { createThreadExecutor, type ThreadExecutorOptions } from '../../../src/workers/threads/thread-executor.ts'
import { isAlive } from '../../support/proc.ts'
import { useTemporaryHome } from '../../support/temporary-home.ts'
import { waitUntil } from '../../support/wait-until.ts'

export const standInEntry = fileURLToPath(new URL('../../support/stand-in-host.mjs', import.meta.url))
export const instanceId = 'instance-of-tests'

export interface Started extends AttemptObserver {
  readonly fence: Fence
  readonly key: string
  readonly progress: Progress[]
  /** What its handler said it computes on. */
  readonly devices: Device[]
  readonly ends: AttemptEnd[]
  readonly control: AttemptControl
  end(timeoutMs?: number): Promise<AttemptEnd>
}

export interface LogLine {
  readonly level: string
  readonly details: object
  readonly message: string
}

export interface Manager {
  readonly executor: ThreadExecutor
  /** Starts an attempt; `unit` says what the stand-in does. */
  start(unit: Json, more?: Partial<HandlerTask>, job?: Partial<HandlerJob>): Started
  startAll(units: readonly Json[], job?: Partial<HandlerJob>): readonly Started[]
  adopt(fence: Fence, elapsedMs?: number): Started
}

export interface Harness {
  readonly home: string
  readonly paths: StatePaths
  readonly log: LogLine[]
  /** A manager; each has a higher epoch than the one before. */
  manager(options?: Partial<ThreadExecutorOptions>): Promise<Manager>
  /** How the hosts that are started from now on behave. */
  plan(plan: object): void
  directory(attempt: Started): string
  /** Ids of all hosts that have a directory. */
  hosts(): readonly string[]
  record(hostId: string): { readonly pid: number; readonly socket: string; readonly alone: boolean }
  /** What the stand-in was told, by kind. */
  heard(hostId: string, kind: string): readonly { readonly [key: string]: Json }[]
}

export const fastPace = { pingMs: 100, silentMs: 400, reconnectMs: 1_000, stopMs: 300, aloneIdleMs: 200 }

export function useThreads(): Harness {
  const { home } = useTemporaryHome()
  const paths = statePaths(home)
  const log: LogLine[] = []
  const write = (level: string) => (details: object, message: string) => void log.push({ level, details, message })
  let epoch = 0
  mkdirSync(paths.attempts)

  const manager = async (options: Partial<ThreadExecutorOptions> = {}): Promise<Manager> => {
    epoch += 1
    const executor = createThreadExecutor({
      paths,
      instanceId,
      bootId: `${bootId()}.${instanceId}`,
      version: '1.2.3',
      epoch,
      clock: systemClock,
      settings: { threads: 2, memoryBytes: 2 ** 30, terminateMs: 200, unclaimedMs: 60_000 },
      environment: { PATH: process.env['PATH'] ?? '/usr/bin:/bin' },
      log: { debug: write('debug'), warn: write('warn'), error: write('error') },
      hostEntry: standInEntry,
      ...options,
    })
    onTestFinished(() => executor.detach())
    await executor.open()
    return makeManager(executor, home)
  }

  return {
    home,
    paths,
    log,
    manager,
    plan: (plan) => writeFileSync(join(home, 'stand-in.json'), JSON.stringify(plan)),
    directory: ({ fence }) => attemptDirectory(paths, fence),
    hosts: () => (existsSync(paths.hosts) ? directoriesIn(paths.hosts) : []),
    record: (hostId) => JSON.parse(readFileSync(join(paths.hosts, hostId, 'host.json'), 'utf8')),
    heard: (hostId, kind) =>
      readFileSync(join(paths.hosts, hostId, 'heard.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { [key: string]: Json })
        .filter((message) => message['kind'] === kind),
  }
}

function directoriesIn(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
}

function makeManager(executor: ThreadExecutor, home: string): Manager {
  const startAll: Manager['startAll'] = (units, job) =>
    startTasks(
      units.map((unit) => ({ unit })),
      job,
    )
  const startTasks = (tasks: readonly Partial<HandlerTask>[], job: Partial<HandlerJob> = {}): readonly Started[] => {
    const starts = tasks.map((task, position) => {
      const observer = observe(newFence())
      return { observer, task: { ...emptyTask, position, ...task, fence: observer.fence } }
    })
    const controls = executor.start({ ...makeJob(home), ...job }, starts)
    return starts.map(({ observer }, at) => Object.assign(observer, { control: controls[at] as AttemptControl }))
  }
  return {
    executor,
    startAll,
    start: (unit, more = {}, job = {}) => startTasks([{ unit, ...more }], job)[0] as Started,
    adopt: (fence, elapsedMs = 0) => {
      const observer = observe(fence)
      return Object.assign(observer, { control: executor.adopt(fence, elapsedMs, observer) })
    },
  }
}

const emptyTask = {
  unit: undefined,
  position: 0,
  checkpoint: undefined,
  resultsFile: null,
  compute: 'cpu',
  alone: false,
} as const

function newFence(): Fence {
  const nonce = randomBytes(6).toString('hex')
  return { unitId: `unit-${nonce}`, attempt: 1, nonce, workerId: 'worker' }
}

function observe(fence: Fence): Omit<Started, 'control'> {
  const progress: Progress[] = []
  const devices: Device[] = []
  const ends: AttemptEnd[] = []
  return {
    fence,
    key: attemptKey(fence),
    progress,
    devices,
    ends,
    started: () => undefined,
    progressed: (one) => progress.push(one),
    computesOn: (device) => {
      if (ends.length > 0) throw new Error('what it computes on is told before its end')
      devices.push(device)
    },
    ended: (end) => ends.push(end),
    end: (timeoutMs = 10_000) => waitUntil(() => ends[0], { timeoutMs, what: 'the end of the attempt', intervalMs: 5 }),
  }
}

export function makeJob(home: string, more: Partial<HandlerJob> = {}): HandlerJob {
  return {
    jobId: 'job-1',
    handler: { type: 'stand_in', file: join(home, 'stand-in.mjs'), revision: 'r1', reusable: true, heapMegabytes: 64 },
    params: {},
    dependencies: {},
    environment: {},
    cwd: null,
    unitTimeoutMs: null,
    idleTimeoutMs: null,
    cancelGraceMs: 200,
    maxOutputBytes: 1024 * 1024,
    ...more,
  }
}

/** Waits until the host has the attempts: its process lives and says so. */
export async function runningIn(harness: Harness, ...attempts: readonly Started[]): Promise<string> {
  return await waitUntil(
    () =>
      harness.hosts().find((id) => {
        const keys = harness
          .heard(id, 'run')
          .flatMap((run) => (run['items'] as { key: string }[]).map(({ key }) => key))
        return attempts.every(({ key }) => keys.includes(key))
      }),
    { what: 'a host that has the attempts' },
  )
}

export function isGone(pid: number): boolean {
  return !isAlive(pid)
}
