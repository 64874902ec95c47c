import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AttemptEnd } from '../../domain/ports/attempt.ts'
import { greetHost } from './host-connection.ts'
import type { HostContext } from './host-context.ts'
import { lastLine } from './host-files.ts'
import { type HostKeeper, HostLink } from './host-link.ts'
import { type LaunchedHost, launchHost } from './launch-host.ts'
import { LaunchLimit } from './launch-limit.ts'
import type { AttemptPlace, ThreadAttempt } from './thread-attempt.ts'

const startTimeRetryMs = 100
const noOutput = { bytes: 0, droppedBytes: 0, tail: '' }

/** What a pool tells the executor beside what its hosts do. */
export interface PoolKeeper extends HostKeeper {
  /** An attempt ended before any host had it. */
  endedWaiting(attempt: ThreadAttempt, end: AttemptEnd): void
  made(host: HostLink): void
}

/** The attempts that wait for one of the two kinds of hosts, and the host that takes them: made when there is something to do. */
export class HostPool implements AttemptPlace {
  readonly alone: boolean
  readonly #context: HostContext
  readonly #keeper: PoolKeeper
  readonly #limit = new LaunchLimit()
  readonly #waiting = new Set<ThreadAttempt>()
  #host: HostLink | null = null
  #isLaunching = false
  #isOffering = false
  #launchTimer: NodeJS.Timeout | null = null
  #idleTimer: NodeJS.Timeout | null = null

  constructor(context: HostContext, keeper: PoolKeeper, alone: boolean) {
    this.#context = context
    this.#keeper = keeper
    this.alone = alone
  }

  add(attempt: ThreadAttempt): void {
    attempt.place = this
    this.#waiting.add(attempt)
    this.#offerSoon()
  }

  stop(attempt: ThreadAttempt): void {
    if (attempt.stopReason === null || !this.#waiting.delete(attempt)) return
    const { stopReason: reason } = attempt
    const elapsedMs = attempt.elapsedMs()
    attempt.place = null
    queueMicrotask(() =>
      this.#keeper.endedWaiting(attempt, { kind: 'stopped', reason, survivors: [], elapsedMs, output: noOutput }),
    )
  }

  /** Uses a host of an earlier manager, unless there is one or it is of another make. */
  adopt(host: HostLink): void {
    if (this.#host !== null || host.isOutdated) {
      this.retire(host)
      return
    }
    this.#host = host
    this.#offerSoon()
  }

  warm(): void {
    if (this.#host === null) this.#launch()
  }

  /** Hands over what waits, as far as the host takes it. */
  offer(): void {
    this.#isOffering = false
    if (this.#context.detached()) return
    if (this.#host?.isEnding === true) this.#host = null
    if (this.#host === null) {
      if (this.#waiting.size > 0) this.#launch()
    } else if (this.#host.isConnected) this.#hand(this.#host)
  }

  /** An attempt has ended in it, or an end was committed. */
  freed(host: HostLink): void {
    if (host !== this.#host) this.retire(host)
    else if (this.alone) this.#offerSoon()
  }

  gone(host: HostLink): void {
    if (host === this.#host) this.#host = null
    if (!host.hasBeenReady) this.#failed(host)
    else if (this.#waiting.size > 0) this.#offerSoon()
  }

  close(): void {
    if (this.#launchTimer !== null) clearTimeout(this.#launchTimer)
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer)
    this.#waiting.clear()
  }

  /** It takes nothing more, and ends when it has nothing more. */
  retire(host: HostLink): void {
    if (!host.isEnding && host.isEmpty) host.end()
  }

  #offerSoon(): void {
    if (this.#isOffering) return
    this.#isOffering = true
    queueMicrotask(() => this.offer())
  }

  #hand(host: HostLink): void {
    if (!this.alone) {
      const attempts = [...this.#waiting]
      this.#waiting.clear()
      if (attempts.length > 0) host.hand(attempts)
      return
    }
    // One at a time: when it dies now, everybody knows whose fault it was.
    if (host.attempts.size > 0) return
    const [attempt] = this.#waiting
    if (attempt === undefined) {
      this.#endWhenIdle(host)
      return
    }
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer)
    this.#waiting.delete(attempt)
    host.hand([attempt])
  }

  #endWhenIdle(host: HostLink): void {
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer)
    this.#idleTimer = setTimeout(() => {
      if (this.#host !== host || host.attempts.size > 0 || this.#waiting.size > 0) return
      this.#host = null
      this.retire(host)
    }, this.#context.pace.aloneIdleMs).unref()
  }

  #launch(): void {
    if (this.#isLaunching || this.#launchTimer !== null || this.#context.detached()) return
    const { clock } = this.#context
    if (this.#limit.isReached(clock.monotonic())) {
      this.#release('the thread host cannot be started: it ended at its start several times')
      return
    }
    const pauseMs = this.#limit.pauseMs()
    if (pauseMs === 0) return void this.#launchNow()
    this.#launchTimer = setTimeout(() => {
      this.#launchTimer = null
      void this.#launchNow()
    }, pauseMs).unref()
  }

  async #launchNow(): Promise<void> {
    const { paths, table, log } = this.#context
    const hostId = randomBytes(6).toString('hex')
    this.#isLaunching = true
    let launched: LaunchedHost
    try {
      launched = await launchHost(this.#context, hostId, this.alone)
    } catch (error) {
      this.#isLaunching = false
      const { cause = error } = error as { cause?: unknown }
      log.error({ err: cause }, 'a thread host cannot be started')
      await rm(join(paths.hosts, hostId), { recursive: true, force: true }).catch(() => undefined)
      this.#release(`a thread host cannot be started: ${(cause as Error).message}`)
      return
    }
    const { pid, socket, child } = launched
    const process = { pid, startTime: await startTimeOf(table, pid) }
    this.#isLaunching = false
    if (this.#context.detached()) return void child.kill('SIGKILL')
    const host = new HostLink(this.#context, this.#keeper, { id: hostId, alone: this.alone, socket, process })
    host.settle()
    this.#host = host
    this.#keeper.made(host)
    host.watchChild(child)
    await this.#makeReady(host, launched)
  }

  async #makeReady(host: HostLink, { ready }: LaunchedHost): Promise<void> {
    const { pace, epoch, version } = this.#context
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), pace.readyMs).unref()
    })
    const isReady = await Promise.race([ready, late])
    clearTimeout(timer)
    if (this.#context.detached()) return
    // Its end, when that was the reason, is told by the system.
    if (isReady === null) return await host.kill(`a thread host did not get ready within ${pace.readyMs / 1_000} s`)
    if (!isReady) return
    const greeting = await greetHost(host.socket, host.id, { epoch, version }, pace.readyMs)
    if (greeting.kind === 'welcome') {
      this.#limit.succeeded()
      host.connected(greeting)
    } else await host.kill('a thread host did not answer after its start')
  }

  #failed(host: HostLink): void {
    const { clock, log } = this.#context
    this.#limit.failed(clock.monotonic())
    const line = lastLine(host.directory)
    const said = line === '' ? '' : `: ${line}`
    log.error({ host: host.id, last_line: line }, `a thread host ${host.life.how} at its start`)
    if (this.#limit.isReached(clock.monotonic())) {
      const message = `the thread host ended at its start several times within a minute: it ${host.life.how}${said}`
      log.error({ attempts: this.#waiting.size }, message)
      this.#release(message)
    } else if (this.#waiting.size > 0) this.#launch()
  }

  /** Nothing can be started now: what waits is given back, to be claimed again later. */
  #release(message: string): void {
    const attempts = [...this.#waiting]
    this.#waiting.clear()
    for (const attempt of attempts) {
      const elapsedMs = attempt.elapsedMs()
      this.#keeper.endedWaiting(attempt, { kind: 'released', message, backOff: true, elapsedMs })
    }
  }
}

/** Of a child: its pid has no other owner before its end is told. @returns 'gone' when it has ended already */
async function startTimeOf(table: HostContext['table'], pid: number): Promise<string> {
  for (;;) {
    try {
      return table.find(pid)?.startTime ?? 'gone'
    } catch {
      await sleep(startTimeRetryMs)
    }
  }
}
