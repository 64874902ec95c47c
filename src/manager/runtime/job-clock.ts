import type { Clock } from '../../domain/clock.ts'
import type { Job, JobOptions } from '../../domain/job.ts'
import type { JobStore } from '../../domain/ports/job-store.ts'
import type { CommitQueue } from './commit-queue.ts'

export interface JobClockOptions {
  readonly store: Pick<JobStore, 'recordJobElapsed' | 'readJobElapsed' | 'requestCancel'>
  readonly commits: Pick<CommitQueue, 'run'>
  readonly clock: Clock
  readonly log: {
    info(details: object, message: string): void
    warn(details: object, message: string): void
  }
  /** Asks a running unit to stop; called after the commit that cancels its job. */
  readonly stop: (unitId: string) => void
}

export type ClockedJob = Pick<Job, 'id' | 'startedAt' | 'pausedAt' | 'frozenAt' | 'heldAt'>

interface Entry {
  readonly limitMs: number
  /** Awake ms until `since`. */
  elapsed: number
  /** Monotonic ms since which it runs; null while it is paused, frozen or held. */
  since: number | null
  /** Whole ms of `elapsed` that the database has. */
  stored: number
  /** Its cancel is being committed. */
  expiring: boolean
}

/** Between two times that are stored. */
const storeEveryMs = 1_000
const retryMs = 1_000

/**
 * Total timeouts: counts the awake time of jobs from their first start, waits between attempts included, and cancels a job
 * with reason `deadline` when its time is up. What was counted is stored at every beat; time without a manager does not count.
 */
export class JobClock {
  readonly #options: JobClockOptions
  readonly #entries = new Map<string, Entry>()
  #timer: NodeJS.Timeout | null = null
  #storing: Promise<void> | null = null
  #closed = false

  constructor(options: JobClockOptions) {
    this.#options = options
  }

  /** A unit of the job starts, or was taken over; only the first call for a job has an effect. */
  started(job: ClockedJob, options: Pick<JobOptions, 'totalTimeoutMs'>): void {
    const limitMs = options.totalTimeoutMs
    if (limitMs === null || this.#closed || this.#entries.has(job.id)) return
    const stored = this.#options.store.readJobElapsed(job.id)
    const since = isHalted(job) ? null : this.#options.clock.monotonic()
    this.#entries.set(job.id, { limitMs, elapsed: stored, since, stored, expiring: false })
    this.#arm()
  }

  /** It is final. */
  ended(jobId: string): void {
    this.#entries.delete(jobId)
  }

  /** Paused, frozen or held: its time stands still. */
  paused(jobId: string): void {
    const entry = this.#entries.get(jobId)
    if (entry === undefined || entry.since === null) return
    entry.elapsed = this.#elapsed(entry)
    entry.since = null
    void this.#store()
  }

  resumed(jobId: string): void {
    const entry = this.#entries.get(jobId)
    if (entry === undefined || entry.since !== null) return
    entry.since = this.#options.clock.monotonic()
    this.#arm()
  }

  /** Stops or goes on by what the row says: a job may be paused and held at once. */
  follow(job: ClockedJob): void {
    if (isHalted(job)) this.paused(job.id)
    else this.resumed(job.id)
  }

  /** After a start of the manager: unfinished jobs with a total timeout, also those of which nothing runs now. */
  restore(jobs: readonly { readonly job: ClockedJob; readonly totalTimeoutMs: number }[]): void {
    for (const { job, totalTimeoutMs } of jobs) if (job.startedAt !== null) this.started(job, { totalTimeoutMs })
  }

  /** Awake ms of a job with a total timeout so far; null when none is counted. */
  elapsedMs(jobId: string): number | null {
    const entry = this.#entries.get(jobId)
    return entry === undefined ? null : Math.floor(this.#elapsed(entry))
  }

  /** Every few seconds: stores what was counted and ends what is due. Resolves when that is committed or has failed. */
  async beat(): Promise<void> {
    this.#expireDue()
    await this.#store()
  }

  /** At shutdown: no deadline strikes any more; the last times are stored. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    await this.#storing
    await this.#store()
  }

  #elapsed(entry: Entry): number {
    if (entry.since === null) return entry.elapsed
    return entry.elapsed + Math.max(0, this.#options.clock.monotonic() - entry.since)
  }

  /** One write at a time: what is in flight must not be added twice. */
  #store(): Promise<void> {
    this.#storing ??= this.#storeNow().finally(() => {
      this.#storing = null
    })
    return this.#storing
  }

  async #storeNow(): Promise<void> {
    const { store, commits, log } = this.#options
    const fresh = [...this.#entries].filter(([, entry]) => Math.floor(this.#elapsed(entry)) > entry.stored)
    if (fresh.length === 0) return
    try {
      await commits.run((commit) => {
        for (const [jobId, entry] of fresh) {
          const elapsed = Math.floor(this.#elapsed(entry))
          store.recordJobElapsed(jobId, elapsed - entry.stored)
          commit.afterCommit(() => {
            entry.stored = elapsed
          })
        }
      })
    } catch (error) {
      log.warn({ err: error }, 'the time of jobs could not be stored; it is at the next beat')
    }
  }

  #expireDue(): void {
    if (this.#closed) return
    for (const [jobId, entry] of this.#entries) {
      if (!entry.expiring && this.#elapsed(entry) >= entry.limitMs) void this.#expire(jobId, entry)
    }
    this.#arm()
  }

  async #expire(jobId: string, entry: Entry): Promise<void> {
    const { store, commits, clock, log, stop } = this.#options
    entry.expiring = true
    let pauseMs = 1
    try {
      const outcome = await commits.run((commit) => {
        // Paused or ended since: the row decides what a commit before this one has done.
        if (this.#entries.get(jobId) !== entry || this.#elapsed(entry) < entry.limitMs) return null
        const cancel = store.requestCancel(jobId, 'deadline', clock.now())
        commit.afterCommit(() => {
          this.#entries.delete(jobId)
          if (cancel.kind === 'cancelling') for (const held of cancel.held) stop(held.fence.unitId)
        })
        return cancel.kind
      })
      if (outcome === 'cancelled' || outcome === 'cancelling') {
        log.info({ job: jobId, limit_ms: entry.limitMs }, 'the total time of a job is up')
      }
    } catch (error) {
      pauseMs = retryMs
      log.warn({ job: jobId, err: error }, 'a job whose time is up could not be ended; tried again')
    } finally {
      entry.expiring = false
      this.#arm(pauseMs)
    }
  }

  /** @param leastMs no sooner than this */
  #arm(leastMs = 1): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#closed) return
    // A manager that dies forgets no more than this.
    let nextMs = storeEveryMs
    let isNeeded = false
    for (const entry of this.#entries.values()) {
      if (entry.since === null || entry.expiring) continue
      isNeeded = true
      nextMs = Math.min(nextMs, entry.limitMs - this.#elapsed(entry))
    }
    if (!isNeeded) return
    this.#timer = setTimeout(() => void this.beat(), Math.max(leastMs, Math.ceil(nextMs)))
    this.#timer.unref()
  }
}

function isHalted(job: ClockedJob): boolean {
  return job.pausedAt !== null || job.frozenAt !== null || job.heldAt !== null
}
