import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { errorKinds } from '../../domain/errors.ts'
import type { AttemptEnd } from '../../domain/ports/attempt.ts'
import type { ThreadHostStatus } from '../../domain/ports/thread-executor.ts'
import type { Device } from '../../domain/wire/prediction.ts'
import type { ProcessIdentity } from '../../platform/process-identity.ts'
import { DeclaredJobs, jobKeyOf } from './declared-jobs.ts'
import { endMissing } from './end-missing.ts'
import { orderTexts } from './hand-over.ts'
import { HandedNotes } from './handed-notes.ts'
import { type Greeting, greetHost, type HostConnection } from './host-connection.ts'
import type { HostContext } from './host-context.ts'
import { type HostHearer, hearMessage } from './host-messages.ts'
import { HostProcess } from './host-process.ts'
import { HostPulse } from './host-pulse.ts'
import { judgeUnasked } from './judge-death.ts'
import { MissingAttempts } from './missing-attempts.ts'
import type { HandlerEnd } from './protocol.ts'
import { Reconnects } from './reconnects.ts'
import type { AttemptPlace, ThreadAttempt } from './thread-attempt.ts'
import { ToldDevices } from './told-devices.ts'

type Welcome = Extract<Greeting, { kind: 'welcome' }>

/** What a host tells the executor. */
export interface HostKeeper {
  /** It takes attempts from now on. */
  ready(host: HostLink): void
  /** One of its attempts has ended. */
  ended(attempt: ThreadAttempt, end: AttemptEnd, host: HostLink): void
  /** An attempt never reached it and is to be handed over again. */
  returned(attempt: ThreadAttempt): void
  /** Its process is gone. */
  gone(host: HostLink): void
}

export interface HostFacts {
  readonly id: string
  readonly alone: boolean
  readonly socket: string
  readonly process: ProcessIdentity
}

const watchMs = 50
/** What it said last comes at once after its end, or never. */
const lastMs = 1_000
/** So many connections that broke at once are worth a word. */
const loudBreaks = 3

/** A living host, as its manager sees it: from its start or adoption until its process is gone. */
export class HostLink implements AttemptPlace, HostHearer {
  readonly id: string
  readonly alone: boolean
  readonly directory: string
  readonly socket: string
  readonly life: HostProcess
  /** Handed over, and not ended. */
  readonly attempts = new Map<string, ThreadAttempt>()
  /** Ended, and told; their hosts keep them until that is committed. */
  readonly told = new Set<string>()
  /** What an earlier manager left there and nobody has claimed yet; ends that came meanwhile. */
  readonly unclaimed = new Map<string, HandlerEnd | null>()
  readonly devices: ToldDevices
  hasBeenReady = false
  /** True: it takes no more attempts. */
  isEnding = false
  readonly #context: HostContext
  readonly #keeper: HostKeeper
  readonly #jobs = new DeclaredJobs()
  readonly #pulse: HostPulse
  readonly #missing: MissingAttempts
  readonly #reconnects = new Reconnects()
  readonly #handed: HandedNotes
  #connection: HostConnection | null = null
  #finding: Promise<void> | null = null
  #threads = 0
  #version = ''
  /** It was giving back what it had before this manager came. */
  #wasLeaving = false
  #isSettled = false
  #isGone = false

  constructor(context: HostContext, keeper: HostKeeper, facts: HostFacts) {
    this.id = facts.id
    this.alone = facts.alone
    this.directory = join(context.paths.hosts, facts.id)
    this.socket = facts.socket
    this.life = new HostProcess(context, facts.process)
    this.#context = context
    this.#keeper = keeper
    this.devices = new ToldDevices(context.log)
    this.#pulse = new HostPulse(context, this)
    this.#handed = new HandedNotes(this.directory, facts.id, context.log)
    this.#missing = new MissingAttempts(context.pace.missingMs)
  }

  get isConnected(): boolean {
    return this.#connection !== null
  }

  /** True when it is of another version or size than hosts are made now: it takes no new attempts. */
  get isOutdated(): boolean {
    const { version, settings } = this.#context
    return this.#version !== version || (!this.alone && this.#threads !== settings.threads)
  }

  /** True when no end is awaited from it or to be committed. */
  get isEmpty(): boolean {
    return this.attempts.size + this.told.size + this.unclaimed.size === 0
  }

  get status(): ThreadHostStatus {
    const { rssBytes } = this.#pulse
    return { pid: this.life.identity.pid, threads: this.#threads, attempts: this.attempts.size, rssBytes }
  }

  /** Its process was started here: the system tells its end. */
  watchChild(child: ChildProcess): void {
    this.life.watchChild(child, () => this.#ends())
  }

  /** It answered a hello: all that it has was in its welcome. */
  connected({ welcome, connection }: Welcome): void {
    if (this.#context.detached()) {
      connection.destroy()
      return
    }
    this.#connection = connection
    this.#threads = welcome.threads
    this.#version = welcome.version
    this.#wasLeaving ||= welcome.leaving === true && !this.hasBeenReady
    this.#jobs.clear()
    this.#missing.clear()
    this.#reconnects.connected(this.#context.clock.monotonic())
    const has = new Map(welcome.attempts.map(({ key, phase }) => [key, phase]))
    for (const attempt of [...this.attempts.values()]) this.#recognise(attempt, has.has(attempt.key))
    for (const [key, phase] of has) {
      if (this.attempts.has(key) || this.told.has(key) || this.unclaimed.has(key)) continue
      if (this.#isSettled) this.#dismiss(key, phase === 'ended')
      else this.unclaimed.set(key, null)
    }
    this.hasBeenReady = true
    connection.listen({
      messages: (messages) => {
        this.#pulse.heard()
        for (const message of messages) hearMessage(message, this)
      },
      closed: (problem) => this.#broke(problem),
    })
    this.#pulse.ask()
    this.#keeper.ready(this)
  }

  /** Hands attempts over; only while it is connected. */
  hand(attempts: readonly ThreadAttempt[]): void {
    const keys = attempts.map(({ key }) => key)
    this.#handed.add(keys, () => [...this.attempts.keys(), ...this.told, ...this.unclaimed.keys(), ...keys])
    for (const attempt of attempts) {
      attempt.place = this
      this.attempts.set(attempt.key, attempt)
    }
    const { texts, refused } = orderTexts(attempts, this.#jobs)
    for (const text of texts) this.#connection?.sendText(text)
    for (const { attempt, error } of refused) {
      this.attempts.delete(attempt.key)
      this.#keeper.ended(attempt, { kind: 'not_started', error, elapsedMs: 0 }, this)
    }
    this.#pulse.watch()
  }

  /** Takes an attempt of an earlier manager over. @returns false when it has none of that name */
  claim(attempt: ThreadAttempt): boolean {
    const end = this.unclaimed.get(attempt.key)
    if (end === undefined) return false
    this.unclaimed.delete(attempt.key)
    attempt.place = this
    this.attempts.set(attempt.key, attempt)
    this.#pulse.watch()
    // Whoever adopts it has to know it first.
    queueMicrotask(() => {
      this.devices.claim(attempt)
      if (end !== null) this.ended(attempt.key, end)
    })
    return true
  }

  /** No more attempts are claimed: what is left of an earlier manager is stopped and forgotten. */
  settle(): void {
    this.#isSettled = true
    for (const [key, end] of this.unclaimed) {
      this.devices.forget(key)
      this.#dismiss(key, end !== null)
    }
    this.unclaimed.clear()
  }

  stop(attempt: ThreadAttempt): void {
    const { stopReason, work } = attempt
    if (stopReason === null) return
    this.#connection?.send({ kind: 'stop', key: attempt.key, reason: stopReason })
    this.#pulse.expectStop(attempt, work?.job.cancelGraceMs ?? null)
  }

  acknowledge(key: string): void {
    if (this.told.delete(key)) this.#connection?.acknowledge(key)
  }

  ping(id: number): void {
    this.#connection?.send({ kind: 'ping', id })
  }

  /** Tells it to end once nothing is left in it. */
  end(): void {
    this.isEnding = true
    this.#connection?.send({ kind: 'end' })
  }

  /** Leaves it to the next manager. */
  detach(): void {
    this.#pulse.stop()
    // It has no attempt, and nobody would find it.
    if (!this.hasBeenReady) this.life.drop()
    if (this.isEmpty && this.#isSettled) this.end()
    this.#connection?.close()
    this.#handed.close()
  }

  /**
   * Ends its process by force; what becomes of its attempts is judged when it is gone.
   * @param endedFor why, when that is no fault of theirs
   */
  async kill(why: string, endedFor: string | null = null): Promise<void> {
    if (this.#isGone || this.life.isKilled) return
    const killed = this.life.kill(why, endedFor)
    if (this.life.isKilled) {
      this.isEnding = true
      this.#context.log.error({ host: this.id, pid: this.life.identity.pid, attempts: this.attempts.size }, why)
    }
    if (await killed) this.#ends()
  }

  ended(key: string, end: HandlerEnd): void {
    const attempt = this.attempts.get(key)
    if (attempt !== undefined) this.#finish(attempt, this.#judge(attempt, end))
    else if (this.unclaimed.has(key)) this.unclaimed.set(key, end)
    // Told before, and not committed yet; else of an attempt that nobody asks for.
    else if (!this.told.has(key)) this.#connection?.acknowledge(key)
  }

  progressed({ key, progress, elapsed_ms }: Parameters<HostHearer['progressed']>[0]): void {
    const attempt = this.attempts.get(key)
    if (attempt === undefined) return
    attempt.tellProgress(progress, elapsed_ms)
    try {
      attempt.observer.progressed(progress)
    } catch (error) {
      this.#context.log.error({ unit: attempt.fence.unitId, err: error }, 'what was told of a handler was not taken')
    }
  }

  computesOn(key: string, device: Device): void {
    const attempt = this.attempts.get(key)
    if (attempt !== undefined) this.devices.tell(attempt, device)
    else if (this.unclaimed.has(key)) this.devices.keep(key, device)
  }

  answered(pong: Parameters<HostHearer['answered']>[0]): void {
    this.#pulse.answered(pong.rss_bytes)
    for (const { key, elapsed_ms, silent_ms } of pong.attempts) {
      const attempt = this.attempts.get(key)
      if (attempt !== undefined) {
        attempt.tellTimes(elapsed_ms, silent_ms)
        attempt.wasSeenRunning = true
      }
      // What an earlier manager said last may have come after the welcome.
      else if (this.#isSettled && !this.told.has(key)) this.#dismiss(key, false)
    }
    const { clock, log, paths } = this.#context
    for (const attempt of this.#missing.look(pong, this.attempts, this.#pulse.pings, clock.monotonic())) {
      log.error({ host: this.id, attempt: attempt.key }, 'a thread host has lost an attempt that it was handed')
      this.#finish(attempt, endMissing(attempt, paths.attempts))
    }
  }

  unreadable(key: string | null, problem: string): void {
    const attempt = key === null ? undefined : this.attempts.get(key)
    this.#context.log.error({ host: this.id, attempt: key, problem }, 'the thread host said something unreadable')
    if (attempt === undefined) return
    const message = 'the thread host said something unreadable about how it ended'
    const error = { code: 'handler_failed', message, remedy: errorKinds.handler_failed.remedy } as const
    const output = { bytes: 0, droppedBytes: 0, tail: '' }
    this.#finish(attempt, { kind: 'failed', error, retry: 'policy', elapsedMs: attempt.elapsedMs(), output })
  }

  /** Stopped, though nobody here told it to: a signal asked its host to end, and maybe that was its own doing. */
  #judge(attempt: ThreadAttempt, end: HandlerEnd): AttemptEnd {
    // What an earlier manager told an adopted one is not known here.
    const isUnasked = attempt.stopReason === null && attempt.work !== null
    if (end.kind !== 'stopped' || !isUnasked || this.#wasLeaving) return end
    this.isEnding = true
    return judgeUnasked(end, this.alone)
  }

  #finish(attempt: ThreadAttempt, end: AttemptEnd): void {
    this.attempts.delete(attempt.key)
    this.told.add(attempt.key)
    if (attempt.work !== null) {
      const jobKey = jobKeyOf(attempt.work)
      // Maybe because its job was not known there.
      if (end.kind === 'released') this.#jobs.doubt(jobKey)
      this.#releaseJob(jobKey)
    }
    this.#keeper.ended(attempt, end, this)
  }

  #releaseJob(jobKey: string): void {
    const forgotten = this.#jobs.release(jobKey)
    if (forgotten !== null) this.#connection?.send({ kind: 'forget', job_keys: [forgotten] })
  }

  /** After a new connection: the host says what it has; what it has not was on its way when the old one broke. */
  #recognise(attempt: ThreadAttempt, isThere: boolean): void {
    if (isThere) {
      if (attempt.stopReason !== null) this.stop(attempt)
      return
    }
    this.attempts.delete(attempt.key)
    if (attempt.work !== null) {
      this.#releaseJob(jobKeyOf(attempt.work))
      this.#keeper.returned(attempt)
      return
    }
    const message = 'the thread host has forgotten it'
    const output = { bytes: 0, droppedBytes: 0, tail: '' }
    const elapsedMs = attempt.elapsedMs()
    this.#keeper.ended(attempt, { kind: 'lost', message, countsAsCrash: false, elapsedMs, output }, this)
  }

  /** Of no unit any more: it is stopped, and its end is acknowledged when it comes. */
  #dismiss(key: string, hasEnded: boolean): void {
    if (hasEnded) this.#connection?.acknowledge(key)
    else this.#connection?.send({ kind: 'stop', key, reason: 'release' })
  }

  #broke(problem: string | null): void {
    const { clock, log } = this.#context
    this.#connection = null
    this.#reconnects.broke(clock.monotonic(), problem !== null)
    const { quickBreaks, pauseMs, isHopeless } = this.#reconnects
    if (problem !== null) log.warn({ host: this.id, problem }, 'what a thread host said cannot be read')
    if (quickBreaks === loudBreaks) {
      log.warn({ host: this.id, pause_ms: pauseMs }, 'the connection to a thread host breaks again and again')
    }
    if (isHopeless) void this.kill('what it says cannot be read, on one connection after the other')
    this.#findOut()
  }

  /** Its process is ending, or has: what it said last still comes, but not for long. */
  #ends(): void {
    setTimeout(() => this.#connection?.destroy(), lastMs).unref()
    this.#findOut()
  }

  #findOut(): void {
    this.#finding ??= this.#findOutAtLast().finally(() => {
      this.#finding = null
    })
  }

  /** Without a connection: concludes that it is gone or, when it is not, connects anew. */
  async #findOutAtLast(): Promise<void> {
    const { clock, pace, epoch, version } = this.#context
    const begun = clock.monotonic() + this.#reconnects.pauseMs
    while (!this.#context.detached()) {
      if (this.#connection === null) {
        const lives = this.life.lives()
        if (lives === false) return await this.#concludeGone()
        if (lives === true && !this.life.isKilled && this.hasBeenReady && clock.monotonic() >= begun) {
          const greeting = await greetHost(this.socket, this.id, { epoch, version }, pace.greetMs)
          if (greeting.kind === 'welcome') return this.connected(greeting)
          if (clock.monotonic() - begun > pace.reconnectMs) await this.kill('it takes no connection any more')
        }
      }
      await sleep(watchMs)
    }
  }

  async #concludeGone(): Promise<void> {
    await this.life.told()
    if (this.#context.detached()) return
    this.#isGone = true
    this.isEnding = true
    this.#pulse.stop()
    this.#handed.close()
    this.#keeper.gone(this)
  }
}
