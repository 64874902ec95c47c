import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { AttemptSupervisor } from '../runtime/attempt-supervisor.ts'
import type { Dispatcher } from '../runtime/dispatcher.ts'
import type { Listener } from './listener.ts'

export interface StopOrder {
  /** Longest wait for running attempts, ms. */
  readonly drainMs: number
  /** What happens to those that still run: left to the next manager, or stopped and queued again. */
  readonly running: 'leave' | 'release'
  readonly reason: 'user' | 'handover' | 'idle'
}

export interface ShutdownOptions {
  readonly dispatcher: Dispatcher
  readonly supervisor: AttemptSupervisor
  readonly listener: () => Listener | null
  /** Calls that wait for something to happen are answered now, with what is. */
  readonly answerWaiting: () => void
  /** A forced stop: says on disk that it was meant, so that nobody takes it for a death; nothing else is waited for. */
  readonly abandon: () => void
  /** Ends what works on its own: feeding, schedules, retention, long reads. */
  readonly stopBackground: () => Promise<void>
  /** Stops the timers; closes the storage and frees the lock; the last steps. */
  readonly finish: (order: StopOrder) => void
  readonly exit: (code: number) => void
  readonly log: Logger
}

/** An answer on its way, a stream that ends: short. */
const closeGraceMs = 500
/** TERM, grace, KILL and its verification take at most this long for commands that are released. */
const releaseDeadlineMs = 70_000
const lookMs = 20

/** Quiet, drain to a deadline, release or leave, exit. A second order while it drains ends the wait; a second signal ends the process. */
export class Shutdown {
  readonly #options: ShutdownOptions
  #order: StopOrder | null = null
  #wasSignalled = false
  #deadline = 0

  constructor(options: ShutdownOptions) {
    this.#options = options
  }

  get isDraining(): boolean {
    return this.#order !== null
  }

  /** Begins to stop; returns at once. A later order can only shorten the wait. */
  request(order: StopOrder): void {
    const deadline = performance.now() + order.drainMs
    if (this.#order !== null) {
      this.#deadline = Math.min(this.#deadline, deadline)
      return
    }
    this.#order = order
    this.#deadline = deadline
    this.#run(order).catch((error: unknown) => {
      this.#options.log.fatal({ err: error }, 'stopping failed; the process ends anyway')
      this.#options.exit(1)
    })
  }

  /** A signal: stop like a user; the second one ends the process at once (its commands are adopted later). */
  onSignal(signal: NodeJS.Signals): void {
    this.#options.log.info({ signal }, 'signal')
    if (this.#wasSignalled) {
      this.#options.abandon()
      this.#options.exit(130)
    }
    this.#wasSignalled = true
    this.request({ drainMs: 0, running: 'leave', reason: 'user' })
  }

  async #run(order: StopOrder): Promise<void> {
    const { dispatcher, supervisor, listener, answerWaiting, stopBackground, finish, exit, log } = this.#options
    log.info({ ...order, attempts: supervisor.running }, 'stopping')
    dispatcher.quiet()
    while (supervisor.running > 0 && performance.now() < this.#deadline) await delay(lookMs)
    if (order.running === 'release') await this.#release()
    // A wait whose connection broke would be repeated, and the repetition would start the next manager.
    answerWaiting()
    await listener()?.close(closeGraceMs)
    await supervisor.settled()
    await stopBackground()
    supervisor.storeProgress()
    await delay(1)
    supervisor.detach()
    finish(order)
    log.info({ left: supervisor.running }, 'stopped')
    exit(0)
  }

  async #release(): Promise<void> {
    const { supervisor } = this.#options
    for (const unitId of supervisor.runningUnitIds()) supervisor.stop(unitId, 'release')
    const deadline = performance.now() + releaseDeadlineMs
    while (supervisor.running > 0 && performance.now() < deadline) await delay(lookMs)
  }
}
