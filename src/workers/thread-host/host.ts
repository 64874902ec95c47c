import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { writeFileAtomic } from '../../platform/atomic-file.ts'
import { createProcessScanner } from '../process-scanner.ts'
import { createSystemProcessTable } from '../system-process-table.ts'
import { hostFiles } from '../threads/host-files.ts'
import {
  type EndedAttempt,
  type HostOrder,
  type LastWords,
  protocolVersion,
  type ToHost,
  type ToManager,
  type WireRun,
} from '../threads/protocol.ts'
import { AttemptDesk } from './attempt-desk.ts'
import { endedText } from './attempt-ender.ts'
import { AttemptWatch } from './attempt-watch.ts'
import { EndBook } from './end-book.ts'
import { Healer } from './heal.ts'
import type { HostContext } from './host-context.ts'
import { logLine, trimHostLog } from './host-log.ts'
import { HostServer } from './host-server.ts'
import { monotonicMs } from './in-thread/intrinsics.ts'
import { JobBook } from './job-book.ts'
import { ManagerNews } from './manager-news.ts'

const busyTickMs = 100
const fastTickMs = 20
const idleTickMs = 5_000
/** Graces of attempts, and acknowledgements, are waited for so long. */
const longestLeaveMs = 30_000
/** A clean end that takes longer becomes an unclean one. */
const leaveMs = 2_000

/** The thread host: listens for a manager, runs what it hands over, keeps every end until it is acknowledged. */
export class Host {
  readonly #order: HostOrder
  readonly #jobs = new JobBook()
  readonly #book: EndBook
  readonly #server: HostServer
  readonly #news: ManagerNews
  readonly #desk: AttemptDesk
  readonly #watch: AttemptWatch
  readonly #healer: Healer
  #tickTimer: NodeJS.Timeout | null = null
  #isResting = false
  #unclaimedTimer: NodeJS.Timeout | null = null
  /** It ends as soon as nothing is left in it. */
  #leaving: 'told' | 'unclaimed' | null = null
  /** What ran was told to stop, and by no manager: whoever comes now does not change that. */
  #isGivingBack = false
  #isDying = false

  constructor(order: HostOrder, environment: NodeJS.ProcessEnv) {
    this.#order = order
    this.#book = new EndBook(order.directory)
    this.#healer = new Healer(order.home)
    this.#server = new HostServer({
      connected: () => this.#connected(),
      told: (message) => this.#told(message),
      disconnected: () => this.#disconnected(),
      log: logLine,
    })
    this.#news = new ManagerNews(this.#server, this.#book)
    const table = createSystemProcessTable()
    const clock = monotonicMs
    const context: HostContext = {
      order,
      environment,
      book: this.#book,
      news: this.#news,
      clock,
      killer: { table, scanner: createProcessScanner(table), clock: { monotonic: clock }, abandoned: () => false },
      log: logLine,
      logDetails: (details, message) => logLine(`${message} ${JSON.stringify(details)}`),
      ended: () => this.#leaveIfDone(),
      dies: (reason, message, culprit) => this.#die(reason, message, culprit),
    }
    this.#desk = new AttemptDesk(context)
    this.#watch = new AttemptWatch(context, this.#desk)
  }

  /** @throws the system's error when it cannot listen */
  async start(): Promise<void> {
    await this.#server.listen(this.#order.socket)
    this.#waitForManager()
    this.#tick()
    this.#desk.pool.warm()
  }

  /** Gives back what runs, and ends. */
  leave(reason: 'told' | 'unclaimed'): void {
    if (this.#isGivingBack) return
    this.#leaving = reason
    this.#isGivingBack = true
    for (const key of [...this.#desk.attempts.keys()]) this.#desk.stop(key, 'release')
    setTimeout(() => this.#die(reason, 'the host waits no longer for what is in it', null), longestLeaveMs)
    this.#leaveIfDone()
  }

  #told(message: ToHost): void {
    switch (message.kind) {
      case 'job': {
        const job = this.#jobs.declare(message.job)
        this.#desk.pool.retire(job.code.file, job.code.key)
        break
      }
      case 'forget':
        this.#jobs.forget(message.job_keys)
        this.#desk.pool.forget(message.job_keys)
        break
      case 'run': {
        const job = this.#jobs.find(message.job_key)
        if (job === undefined) {
          this.#giveBack(message.job_key, message.items)
          break
        }
        this.#desk.run(job, message.items)
        this.#wake()
        break
      }
      case 'stop':
        this.#desk.stop(message.key, message.reason)
        break
      case 'acknowledge':
        this.#book.acknowledge(message.keys)
        this.#leaveIfDone()
        break
      case 'ping':
        this.#send({
          kind: 'pong',
          id: message.id,
          rss_bytes: process.memoryUsage.rss(),
          ...this.#listAll(),
        })
        break
      case 'end':
        this.#leaving ??= 'told'
        this.#leaveIfDone()
        break
      case 'hello':
        break
    }
  }

  #connected(): void {
    if (this.#unclaimedTimer !== null) clearTimeout(this.#unclaimedTimer)
    this.#unclaimedTimer = null
    this.#healer.stop()
    // Whoever comes later may have work for it.
    if (!this.#isGivingBack) this.#leaving = null
    // It declares anew what it needs.
    this.#desk.pool.forget(this.#jobs.clear())
    const { host_id, version, threads } = this.#order
    const running = [...this.#desk.attempts.values()].map((attempt) => ({
      key: attempt.key,
      phase: attempt.hasBegun || attempt.phase === 'ending' ? ('running' as const) : ('waiting' as const),
    }))
    const ended = [...this.#book.keys()].map((key) => ({ key, phase: 'ended' as const }))
    this.#send({
      kind: 'welcome',
      protocol: protocolVersion,
      host_id,
      version,
      threads,
      attempts: [...ended, ...running],
      ...(this.#isGivingBack ? { leaving: true } : {}),
    })
    for (const { key, device } of this.#desk.attempts.values()) if (device !== null) this.#news.computesOn(key, device)
    for (const { key, progress, elapsedMs } of this.#progress()) this.#news.progressed(key, progress, elapsedMs)
    this.#news.tellAll()
  }

  /** What nothing is known of cannot run, and must not cost what can. */
  #giveBack(jobKey: string, items: readonly WireRun[]): void {
    logLine(`the job ${jobKey} was not declared: ${items.length} of its attempts are given back`)
    const message = 'its host did not know the job'
    for (const { key } of items) {
      if (this.#desk.attempts.has(key) || this.#book.has(key)) continue
      this.#news.ended(key, endedText(key, { kind: 'released', message, backOff: true, elapsedMs: 0 }))
    }
  }

  /** Everything that it has: a manager finds out what was lost. */
  #listAll() {
    const attempts = this.#watch.list()
    const running = new Set(attempts.map(({ key }) => key))
    const others = [...this.#desk.attempts.keys()].filter((key) => !running.has(key))
    return { attempts: [...attempts], others: [...others, ...this.#book.keys()] }
  }

  *#progress() {
    for (const attempt of this.#desk.attempts.values())
      if (attempt.progress !== null)
        yield { key: attempt.key, progress: attempt.progress, elapsedMs: attempt.elapsedMs(monotonicMs()) }
  }

  #disconnected(): void {
    if (this.#isDying) return
    this.#book.write()
    this.#waitForManager()
  }

  #waitForManager(): void {
    this.#healer.start()
    this.#unclaimedTimer ??= setTimeout(() => {
      logLine('no manager has come; what runs is given back')
      this.leave('unclaimed')
    }, this.#order.unclaimed_ms)
  }

  #leaveIfDone(): void {
    if (this.#leaving === null || this.#isDying || this.#desk.attempts.size > 0) return
    if (this.#leaving === 'told' && this.#server.isConnected && this.#book.size > 0) return
    this.#die(this.#leaving, this.#leaving === 'told' ? 'the host was told to end' : 'no manager has come', null)
  }

  /** What it has to say is on the disk, and on its way, before it is gone. */
  #die(reason: LastWords['reason'], message: string, culprit: EndedAttempt | null): void {
    if (this.#isDying) return
    this.#isDying = true
    logLine(`the host ends itself: ${reason}, ${message}`)
    this.#desk.releaseWaiting('its host ended before it could begin')
    this.#news.flush()
    this.#book.write(true)
    try {
      const words: LastWords = { reason, culprit, message }
      writeFileAtomic(join(this.#order.directory, hostFiles.lastWords), JSON.stringify(words))
    } catch (error) {
      logLine(`the last words cannot be written: ${String(error)}`)
    }
    if (reason === 'memory' || reason === 'stuck') process.kill(process.pid, 'SIGKILL')
    const left = Promise.all([this.#server.close(), this.#desk.pool.endAll()]).then(() => process.exit(0))
    // A thread in a system call would hold a plain exit up.
    void Promise.race([left, sleep(leaveMs)]).then(() => process.kill(process.pid, 'SIGKILL'))
  }

  #send(message: ToManager): void {
    this.#server.send([JSON.stringify(message)])
  }

  #tick(): void {
    this.#tickTimer = null
    const isFast = this.#watch.look()
    trimHostLog(this.#order.directory)
    this.#isResting = this.#desk.attempts.size === 0
    this.#tickIn(this.#isResting ? idleTickMs : isFast ? fastTickMs : busyTickMs)
  }

  /** Something runs again. */
  #wake(): void {
    if (!this.#isResting) return
    this.#isResting = false
    this.#tickIn(busyTickMs)
  }

  #tickIn(ms: number): void {
    if (this.#tickTimer !== null) clearTimeout(this.#tickTimer)
    this.#tickTimer = setTimeout(() => this.#tick(), ms)
  }
}
