import type { Logger } from 'pino'
import type { Clock } from '../../domain/clock.ts'
import type { JobStore } from '../../domain/ports/job-store.ts'
import type { AttemptSupervisor } from './attempt-supervisor.ts'
import { ClockWatch } from './clock-watch.ts'
import type { CommitQueue } from './commit-queue.ts'
import type { Recoverer } from './recoverer.ts'

export interface LeaseKeeperOptions {
  readonly store: JobStore
  readonly commits: CommitQueue
  readonly supervisor: AttemptSupervisor
  readonly recoverer: Recoverer
  readonly clock: Clock
  readonly workerId: string
  readonly leaseMs: number
  readonly log: Logger
  /** Ends the process when the state is not what it was. */
  readonly checkIdentity: () => void
  /** At every beat: others that count or store something then. */
  readonly onBeat: () => void
  /** Called after due times were moved: the ready index must be read anew. */
  readonly onRetriesMoved: () => void
}

/**
 * Every beat: the state directory and the epoch are still ours, and what a jump of the wall clock made due is claimed; while
 * something runs, the lease and the newest progress are stored.
 */
export const beatMs = 5_000

export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions
  #timer: NodeJS.Timeout | null = null
  readonly #clockWatch: ClockWatch
  #lastLease = Number.NEGATIVE_INFINITY

  constructor(options: LeaseKeeperOptions) {
    this.#options = options
    this.#clockWatch = new ClockWatch(options.clock)
  }

  start(): void {
    this.#timer ??= setInterval(() => this.beat(), beatMs)
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }

  /** One beat; an idle manager writes nothing. */
  beat(): void {
    const { store, commits, supervisor, recoverer, clock, workerId, leaseMs, log, checkIdentity } = this.#options
    checkIdentity()
    this.#followClock()
    this.#options.onBeat()
    // An empty group writes nothing, but its transaction checks the epoch: a manager that was stopped while another took over
    // ends here, even when nobody asks it for a write.
    commits.run(() => undefined).catch((error: unknown) => log.warn({ err: error }, 'the storage does not answer'))
    if (supervisor.running === 0) return
    supervisor.storeProgress()
    if (clock.monotonic() - this.#lastLease < leaseMs / 3) return
    this.#lastLease = clock.monotonic()
    void commits
      .run(() => store.heartbeatWorker(workerId, clock.now(), clock.now() + leaseMs))
      .then(() => recoverer.reconcile())
      .catch((error: unknown) => log.warn({ err: error }, 'heartbeat failed; the next one follows'))
  }

  /** Back-off is a length of time: a wall clock that was set back must not make it longer (DESIGN §10.1). */
  #followClock(): void {
    const { store, commits, log, onRetriesMoved } = this.#options
    const setBackMs = this.#clockWatch.look()
    if (setBackMs === 0) return
    log.warn({ setBackMs }, 'the wall clock was set back: waiting retries move with it')
    commits
      .run(() => store.shiftRetries(-setBackMs))
      .then(onRetriesMoved)
      .catch((error: unknown) => log.error({ err: error }, 'waiting retries could not be moved'))
  }
}
