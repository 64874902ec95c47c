import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { StatePaths } from '../../config/paths.ts'
import type { Clock } from '../../domain/clock.ts'
import type { Fence } from '../../domain/job.ts'
import type { AttemptControl, AttemptEnd, AttemptObserver } from '../../domain/ports/attempt.ts'
import type { HandlerJob, HandlerStart, ThreadExecutor, ThreadHostStatus } from '../../domain/ports/thread-executor.ts'
import type { ExecutorLog } from '../executor-context.ts'
import { createProcessScanner } from '../process-scanner.ts'
import type { ProcessTable } from '../process-table.ts'
import { createSystemProcessTable } from '../system-process-table.ts'
import { attemptKey } from './attempt-key.ts'
import { readCheckpoint, readCheckpointAtLast } from './checkpoint-file.ts'
import { DeadHost, type DeadHostFacts, type Mourner } from './dead-host.ts'
import { DurationMeans } from './duration-means.ts'
import { type FoundHosts, findHosts } from './find-hosts.ts'
import { defaultPace, type HostContext, type HostPace, type ThreadSettings } from './host-context.ts'
import { HostLink } from './host-link.ts'
import { HostPool, type PoolKeeper } from './host-pool.ts'
import { isSuperseded } from './superseded.ts'
import { ThreadAttempt } from './thread-attempt.ts'
import { UnknownAttempts } from './unknown-attempts.ts'

export interface ThreadExecutorOptions {
  readonly paths: StatePaths
  /** Id of this state; part of the marks of all its processes. */
  readonly instanceId: string
  /** Hosts of another boot are not adopted. */
  readonly bootId: string
  readonly version: string
  readonly epoch: number
  readonly clock: Clock
  readonly settings: ThreadSettings
  /** What a host gets beside its marks. */
  readonly environment: Readonly<Record<string, string>>
  readonly log: ExecutorLog
  readonly processTable?: ProcessTable
  /** This process by default; it and its process group are never signalled. */
  readonly managerPid?: number
  /** The host's program; default: the one that ships. */
  readonly hostEntry?: string
  readonly pace?: Partial<HostPace>
}

const findRetryMs = 1_000

/** Runs handlers in threads of host processes that survive the manager (DESIGN §2, §7, §10.11). */
export function createThreadExecutor(options: ThreadExecutorOptions): ThreadExecutor {
  return new HostedThreads(options)
}

interface Acknowledged {
  acknowledge(key: string): void
}

class HostedThreads implements ThreadExecutor, PoolKeeper, Mourner {
  readonly settled: Promise<void>
  readonly #context: HostContext
  readonly #normal: HostPool
  readonly #alone: HostPool
  readonly #unknown: UnknownAttempts
  readonly #means = new DurationMeans()
  readonly #hosts = new Set<HostLink>()
  readonly #dead = new Set<DeadHost>()
  /** Attempts whose end is told and not committed yet, with the host that keeps it until then. */
  readonly #told = new Map<string, Acknowledged>()
  #settle: () => void = () => undefined
  #isDetached = false

  constructor(options: ThreadExecutorOptions) {
    const table = options.processTable ?? createSystemProcessTable()
    this.#context = {
      ...options,
      pace: { ...defaultPace, ...options.pace },
      table,
      scanner: createProcessScanner(table),
      managerPid: options.managerPid ?? process.pid,
      entry: options.hostEntry ?? shippedEntry(),
      detached: () => this.#isDetached,
      isSuperseded: () => this.#isSuperseded(),
    }
    this.settled = new Promise((resolve) => {
      this.#settle = resolve
    })
    this.#normal = new HostPool(this.#context, this, false)
    this.#alone = new HostPool(this.#context, this, true)
    this.#unknown = new UnknownAttempts(this.#context, (attempt, end) => this.endedWaiting(attempt, end))
  }

  async open(): Promise<void> {
    mkdirSync(this.#context.paths.hosts, { recursive: true, mode: 0o700 })
    const { living, dead } = await this.#findAtLast()
    if (this.#isDetached) return
    for (const { record, welcome } of living) {
      const { host_id: id, alone, socket, pid, start_time: startTime } = record
      const host = new HostLink(this.#context, this, { id, alone, socket, process: { pid, startTime } })
      this.#hosts.add(host)
      host.connected(welcome)
      this.#poolOf(host).adopt(host)
    }
    this.#unknown.wasRestarted = dead.some(({ otherBoot }) => otherBoot)
    await Promise.all(dead.map((facts) => this.#bury(facts)))
  }

  start(job: HandlerJob, starts: readonly HandlerStart[]): readonly AttemptControl[] {
    const { clock } = this.#context
    return starts.map(({ task, observer }) => {
      const { fence } = task
      const key = attemptKey(fence)
      const attempt = new ThreadAttempt({ key, fence, work: { job, task }, observer, elapsedMs: 0, clock })
      if (!this.#isDetached) (task.alone ? this.#alone : this.#normal).add(attempt)
      return attempt
    })
  }

  adopt(fence: Fence, elapsedMs: number, observer: AttemptObserver): AttemptControl {
    const { clock } = this.#context
    const key = attemptKey(fence)
    const attempt = new ThreadAttempt({ key, fence, work: null, observer, elapsedMs, clock })
    const isClaimed = [...this.#hosts, ...this.#dead].some((host) => host.claim(attempt))
    if (!isClaimed) this.#unknown.add(attempt)
    return attempt
  }

  adopted(): void {
    for (const host of this.#hosts) host.settle()
    this.#settle()
    for (const host of this.#hosts) this.#poolOf(host).freed(host)
  }

  acknowledge(fences: readonly Fence[]): void {
    for (const fence of fences) {
      const key = attemptKey(fence)
      const host = this.#told.get(key)
      if (host === undefined) continue
      this.#told.delete(key)
      host.acknowledge(key)
      if (host instanceof HostLink && host.isEmpty) this.#poolOf(host).freed(host)
    }
  }

  unitsPerSlot(type: string): number {
    return this.#means.unitsPerSlot(type)
  }

  warm(): void {
    this.#normal.warm()
  }

  status(): readonly ThreadHostStatus[] {
    return [...this.#hosts].map((host) => host.status)
  }

  detach(): void {
    if (this.#isDetached) return
    this.#isDetached = true
    this.#normal.close()
    this.#alone.close()
    for (const host of this.#hosts) host.detach()
    this.#settle()
  }

  made(host: HostLink): void {
    this.#hosts.add(host)
  }

  ready(host: HostLink): void {
    this.#poolOf(host).offer()
  }

  returned(attempt: ThreadAttempt): void {
    this.#poolFor(attempt).add(attempt)
  }

  ended(attempt: ThreadAttempt, end: AttemptEnd, host: HostLink | DeadHost): void {
    this.#told.set(attempt.key, host)
    const { work } = attempt
    if (work?.job.handler.reusable === true && (end.kind === 'completed' || end.kind === 'failed')) {
      this.#means.add(work.job.handler.type, work.job.handler.revision, end.elapsedMs)
    }
    this.#tell(attempt, end)
    if (host instanceof HostLink) this.#poolOf(host).freed(host)
  }

  endedWaiting(attempt: ThreadAttempt, end: AttemptEnd): void {
    this.#tell(attempt, end)
  }

  gone(host: HostLink): void {
    this.#hosts.delete(host)
    const { id, directory, socket, life, attempts, told, unclaimed } = host
    const devices = host.devices.waiting
    const { identity: process, endedFor, how } = life
    const watched = host.hasBeenReady
    void this.#bury(
      { id, directory, socket, process, watched, otherBoot: false, endedFor, how, attempts, told, unclaimed, devices },
      host,
    )
  }

  forgotten(host: DeadHost): void {
    this.#dead.delete(host)
  }

  async #bury(facts: DeadHostFacts, link: HostLink | null = null): Promise<void> {
    const dead = new DeadHost(this.#context, this, facts)
    this.#dead.add(dead)
    for (const key of facts.told) this.#told.set(key, dead)
    if (link !== null) this.#poolOf(link).gone(link)
    await dead.prepare()
    void dead.bury()
  }

  /** Its checkpoint lies in its directory; it is told with every end but a good one. */
  #tell(attempt: ThreadAttempt, end: AttemptEnd): void {
    if (end.kind === 'completed' || end.kind === 'exited' || end.kind === 'not_started') {
      this.#tellNow(attempt, end)
      return
    }
    const directory = join(this.#context.paths.attempts, attempt.key)
    try {
      this.#tellNow(attempt, { ...end, checkpoint: readCheckpoint(directory) })
    } catch {
      void readCheckpointAtLast(directory).then((checkpoint) => this.#tellNow(attempt, { ...end, checkpoint }))
    }
  }

  #tellNow(attempt: ThreadAttempt, end: AttemptEnd): void {
    if (this.#isDetached) return
    attempt.place = null
    attempt.end(end.elapsedMs)
    try {
      attempt.observer.ended(end)
    } catch (error) {
      const unit = attempt.fence.unitId
      this.#context.log.error({ unit, err: error }, 'what was told of a handler was not taken')
    }
  }

  #poolOf(host: HostLink): HostPool {
    return host.alone ? this.#alone : this.#normal
  }

  #poolFor(attempt: ThreadAttempt): HostPool {
    return attempt.work?.task.alone === true ? this.#alone : this.#normal
  }

  #isSuperseded(): boolean {
    if (this.#isDetached) return true
    const { paths, epoch, log } = this.#context
    if (!isSuperseded(paths, epoch)) return false
    log.warn({ epoch }, 'a later manager leads: the thread hosts are left to it')
    this.detach()
    return true
  }

  async #findAtLast(): Promise<FoundHosts> {
    while (!this.#isDetached) {
      try {
        return await findHosts(this.#context)
      } catch (error) {
        this.#context.log.error({ err: error }, 'cannot look for the thread hosts of earlier managers; trying again')
        await sleep(findRetryMs)
      }
    }
    return { living: [], dead: [] }
  }
}

function shippedEntry(): string {
  const here = fileURLToPath(new URL('../thread-host/host-main.js', import.meta.url))
  // From source the built host is started: processes always run what ships.
  return import.meta.url.endsWith('.ts') ? here.replace(/([\\/])src([\\/]workers[\\/])/, '$1dist$2') : here
}
