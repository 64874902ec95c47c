import type { Clock } from '../../domain/clock.ts'
import type { Job } from '../../domain/job.ts'
import type { ClaimOutcome, JobStore, RunnableJob } from '../../domain/ports/job-store.ts'
import type { Commit, CommitQueue } from './commit-queue.ts'
import { ReadyIndex } from './ready-index.ts'

export type Claim = Extract<ClaimOutcome, { kind: 'claimed' }>

export interface DispatcherOptions {
  readonly store: JobStore
  readonly commits: CommitQueue
  readonly clock: Clock
  readonly slots: number
  readonly workerId: string
  readonly createNonce: () => string
  /** Called after the commit of the claim. */
  readonly start: (claim: Claim) => void
}

/** A timer further away is set again later: it is only a hint, wall clocks jump and machines sleep. */
const longestTimerMs = 30_000
const rebuildPage = 1_000

/**
 * Gives due units to free slots, in the transaction of whatever made it possible. Never polls: it runs at the end of a commit
 * group, and by one timer for the next due time.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions
  readonly #index = new ReadyIndex()
  readonly #busy = new Set<string>()
  #timer: NodeJS.Timeout | null = null
  #quiet = true
  #backOffUntil = 0

  constructor(options: DispatcherOptions) {
    this.#options = options
    options.commits.addClosingHook((commit) => this.#fill(commit))
  }

  /** Reads every runnable job and begins to claim. */
  start(): void {
    this.rebuild()
    this.#quiet = false
    this.#options.commits.wake()
  }

  /** Reads every runnable job again: after the storage was reopened or due times were moved, the index may lack some. */
  rebuild(): void {
    const { store, clock } = this.#options
    let after = 0
    for (;;) {
      const page = store.readRunnableJobs(after, rebuildPage)
      for (const job of page) this.#offer(job, clock.now())
      const last = page.at(-1)
      if (last === undefined || page.length < rebuildPage) break
      after = last.seq
    }
    this.#options.commits.wake()
  }

  /** No new claims. */
  quiet(): void {
    this.#quiet = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  /** A job has (or may have) an available unit; `dueAt` in wall ms. The next group tries to claim it. */
  offer(job: Job, dueAt: number): void {
    this.#offer(
      { jobId: job.id, seq: job.seq, queue: job.queue, type: job.type, priority: job.priority, nextDueAt: dueAt },
      this.#options.clock.now(),
    )
  }

  #offer(job: RunnableJob, now: number): void {
    this.#index.offer({ jobId: job.jobId, seq: job.seq, priority: job.priority, dueAt: job.nextDueAt }, now)
  }

  /** Adopted attempts hold slots too. */
  occupySlot(unitId: string): void {
    this.#busy.add(unitId)
  }

  releaseSlot(unitId: string): void {
    this.#busy.delete(unitId)
  }

  /** The machine cannot start processes now: no claims for a while. */
  backOff(ms: number): void {
    this.#backOffUntil = this.#options.clock.monotonic() + ms
    setTimeout(() => this.#options.commits.wake(), ms + 1).unref()
  }

  get slots(): { readonly total: number; readonly busy: number } {
    return { total: this.#options.slots, busy: this.#busy.size }
  }

  /** Jobs that wait for a slot or a due time, as far as the index knows. */
  get waitingJobs(): number {
    return this.#index.size
  }

  #fill(commit: Commit): void {
    const { clock, slots } = this.#options
    if (this.#quiet || clock.monotonic() < this.#backOffUntil) return
    while (this.#busy.size < slots) {
      const ready = this.#index.peek(clock.now())
      if (ready === undefined) break
      this.#index.remove(ready.jobId)
      try {
        this.#claim(ready.jobId, commit)
      } catch (error) {
        // The job is as claimable as before; only this try failed.
        this.#index.offer(ready, clock.now())
        throw error
      }
    }
    this.#setTimer()
  }

  #claim(jobId: string, commit: Commit): void {
    const { store, clock, workerId, createNonce, start } = this.#options
    const now = clock.now()
    const claim = store.claimUnitIfDue({
      jobId,
      workerId,
      executor: 'command',
      mode: 'local',
      nonce: createNonce(),
      now,
    })
    if (claim.kind === 'none') {
      if (claim.nextDueAt !== null) this.#reoffer(jobId, claim.nextDueAt)
      return
    }
    this.#busy.add(claim.unit.id)
    if (claim.moreAvailable) this.offer(claim.job, now)
    commit.afterCommit(() => start(claim))
    commit.afterFailure(() => {
      this.#busy.delete(claim.unit.id)
      this.offer(claim.job, now)
    })
  }

  #reoffer(jobId: string, dueAt: number): void {
    const job = this.#options.store.readJob(jobId)
    if (job !== null) this.offer(job, dueAt)
  }

  #setTimer(): void {
    const due = this.#index.nextDueAt()
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (due === null) return
    const wait = Math.min(Math.max(1, due - this.#options.clock.now()), longestTimerMs)
    this.#timer = setTimeout(() => this.#options.commits.wake(), wait)
    this.#timer.unref()
  }
}
