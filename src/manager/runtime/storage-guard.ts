import { statfsSync } from 'node:fs'
import type { Logger } from 'pino'
import { QueueError } from '../../domain/errors.ts'
import type { CommitQueue } from './commit-queue.ts'

export type StorageFault = 'busy' | 'full' | 'io' | 'corrupt' | 'readonly' | 'other'

/** What the guard needs of the storage; the adapter implements it. */
export interface GuardedStorage {
  /** Closes, opens again and verifies by a durable write. @throws when the storage is not usable */
  reopen(): void
  classify(error: unknown): StorageFault
  /** Frees the reserved space. @returns false when there was none left */
  releaseBallast(): boolean
  /** Takes the reserve again when space allows. @returns false while there is no room for it */
  restoreBallast(): boolean
}

export interface StorageGuardOptions {
  readonly storage: GuardedStorage
  readonly home: string
  readonly floorBytes: number
  readonly log: Logger
  /** Called after storage faults that repeated; the process must end loudly. */
  readonly giveUp: (reason: string) => void
  /** Runs after every commit, before its answers: ends the process when what was written is no longer the state's own file. */
  readonly checkIdentity: () => void
  /** Called when the storage works again: what runs must be reconciled with what is stored. */
  readonly onRecovered: () => void
}

const mostFaultsInARow = 3
const reopenDelayMs = 200
const spaceCheckMs = 1_000
/** A foreign lock is waited for in pieces, so that probes of this manager are answered in between. */
const busyPauseMs = 200

/**
 * Decides what a failed commit group means. An fsync that failed once may have lost what it acknowledged before, so after an
 * I/O error nothing is retried on the same handle: pause, reopen, verify, go on (reliability D4). A full disk keeps running
 * jobs' results by the ballast and refuses new jobs (D15).
 */
export class StorageGuard {
  readonly #options: StorageGuardOptions
  #commits: CommitQueue | null = null
  #faultsInARow = 0
  #healthy = true
  #ballastReleased: boolean
  #spaceCheckedAt = Number.NEGATIVE_INFINITY
  #freeBytes = 0

  constructor(options: StorageGuardOptions) {
    this.#options = options
    this.#ballastReleased = !options.storage.restoreBallast()
  }

  attach(commits: CommitQueue): void {
    this.#commits = commits
    // A group that commits ends a row of faults.
    commits.addClosingHook((commit) => commit.afterCommit(() => this.#succeeded()))
  }

  isStorageFault(error: unknown): boolean {
    return this.#options.storage.classify(error) !== 'other'
  }

  onGroupFailure(error: unknown): { readonly answer: QueueError; readonly retry: boolean } {
    const { storage, log } = this.#options
    const fault = storage.classify(error)
    log.error({ err: error, fault }, 'a commit group failed')
    const cause = { cause: error }
    switch (fault) {
      case 'busy':
        this.#commits?.pause()
        setTimeout(() => this.#commits?.resume(), busyPauseMs)
        return {
          answer: new QueueError('storage_busy', 'the database is locked by another program', cause),
          retry: true,
        }
      case 'full': {
        const freed = storage.releaseBallast()
        this.#ballastReleased = true
        return { answer: new QueueError('storage_full', 'the disk is full; nothing was stored', cause), retry: freed }
      }
      case 'readonly':
        this.#healthy = false
        return { answer: new QueueError('storage_refused', 'the database is read-only', cause), retry: false }
      case 'corrupt':
      case 'io':
        this.#reopen(fault)
        return {
          answer: new QueueError('outcome_unknown', `the disk reported an error (${(error as Error).message})`, cause),
          retry: false,
        }
      case 'other':
        return {
          answer:
            error instanceof QueueError
              ? error
              : new QueueError('internal', 'the operation failed inside the manager', cause),
          retry: false,
        }
    }
  }

  /** @throws QueueError storage_full when new jobs must not be accepted now. */
  assertAcceptsJobs(): void {
    const { floorBytes, home } = this.#options
    const free = this.freeBytes()
    if (this.acceptsJobs) return
    throw new QueueError('storage_full', `only ${free} bytes are free in ${home}; new jobs need ${floorBytes}`, {
      remedy: 'Free disk space and submit again with the same idempotency key; running jobs keep their results.',
      details: { free_bytes: free, floor_bytes: floorBytes },
    })
  }

  /** False on a full disk, and until there is room for the reserve again. */
  get acceptsJobs(): boolean {
    return this.freeBytes() >= this.#options.floorBytes && !this.#ballastReleased
  }

  /** Free space of the state directory, measured at most once a second. */
  freeBytes(): number {
    const now = performance.now()
    if (now - this.#spaceCheckedAt > spaceCheckMs) {
      this.#spaceCheckedAt = now
      const stats = statfsSync(this.#options.home)
      this.#freeBytes = stats.bavail * stats.bsize
      if (this.#ballastReleased && this.#freeBytes > this.#options.floorBytes) {
        this.#ballastReleased = !this.#options.storage.restoreBallast()
      }
    }
    return this.#freeBytes
  }

  get healthy(): boolean {
    return this.#healthy
  }

  #succeeded(): void {
    this.#options.checkIdentity()
    if (this.#faultsInARow === 0 && this.#healthy) return
    this.#faultsInARow = 0
    this.#healthy = true
  }

  #reopen(fault: StorageFault): void {
    const { storage, log, giveUp, onRecovered } = this.#options
    this.#healthy = false
    this.#faultsInARow += 1
    if (this.#faultsInARow >= mostFaultsInARow) {
      giveUp(`${this.#faultsInARow} storage faults in a row (${fault})`)
      return
    }
    this.#commits?.pause()
    setTimeout(() => {
      try {
        storage.reopen()
      } catch (error) {
        log.error({ err: error }, 'reopening the database failed')
        this.#reopen(fault)
        return
      }
      log.warn('the database was reopened and verified')
      this.#commits?.resume()
      onRecovered()
    }, reopenDelayMs)
  }
}
