import { setTimeout as sleep } from 'node:timers/promises'
import type { Settings } from '../../config/settings.ts'
import type { Clock } from '../../domain/clock.ts'
import type { HistoryReader } from '../../domain/ports/history-reader.ts'
import type { FinalJobRecord, PruningRecord } from '../../domain/ports/history-store.ts'
import type { JobStore } from '../../domain/ports/job-store.ts'
import type { CommitQueue } from './commit-queue.ts'
import type { JobDeletion } from './job-deletion.ts'

type Rule = PruningRecord['rule']

export interface RetentionOptions {
  readonly store: JobStore
  readonly commits: CommitQueue
  readonly deletion: JobDeletion
  readonly reader: Pick<HistoryReader, 'readStoredBytes'>
  readonly clock: Clock
  readonly settings: Pick<Settings, 'keep_age' | 'keep_jobs' | 'keep_bytes'>
  readonly log: {
    info(details: object, message: string): void
    warn(details: object, message: string): void
  }
  /** Removes files of jobs that are gone; at the first pass and then once a day. */
  readonly sweep: () => Promise<unknown>
  /** Default: a minute after the start. */
  readonly firstPassMs?: number | undefined
  /** Default: every hour. */
  readonly periodMs?: number | undefined
}

const sweepEveryPasses = 24
/** Jobs considered at once; what is deleted is decided again for the next. */
const batchSize = 100
/** Others have the manager between two batches. */
const restMs = 20
const bytesSliceUnits = 2_000
const durationsSlice = 2_000
/** Estimates outlive the jobs they come from. */
const durationsKeptTimes = 4

/**
 * Deletes finished jobs that are too old, too many or too large, those that ended first first, and says what it did. Never an
 * unfinished one; never one whose end somebody who reads whats_new has not acknowledged, unless it is twice too old.
 */
export class Retention {
  readonly #options: RetentionOptions
  #timer: NodeJS.Timeout | undefined
  #pass: Promise<void> = Promise.resolve()
  #passes = 0
  #afterHash = ''
  #isStopped = false

  constructor(options: RetentionOptions) {
    this.#options = options
  }

  start(): void {
    this.#isStopped = false
    this.#schedule(this.#options.firstPassMs ?? 60_000)
  }

  /** Waits for the transaction in progress. */
  async stop(): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#timer)
    await this.#pass
  }

  /** One pass; for tests, otherwise by the timer. */
  async prune(): Promise<void> {
    const { store, deletion, sweep } = this.#options
    await deletion.deleteJobs(store.readLeavingJobs(batchSize), null, this.#mayGoOn)
    const excess = await this.#measureExcess()
    for (let batch = this.#nextBatch(excess); batch !== null && this.#mayGoOn(); batch = this.#nextBatch(excess)) {
      const deleted = await deletion.deleteJobs(batch.ids, batch.rule, this.#mayGoOn)
      if (deleted.ids.length === 0) break
      excess.bytes -= deleted.bytes
      this.#options.log.info({ jobs: deleted.ids.length, bytes: deleted.bytes, rule: batch.rule }, 'pruned')
      await sleep(restMs, undefined, { ref: false })
    }
    await this.#pruneDurations()
    if (this.#passes % sweepEveryPasses === 0 && this.#mayGoOn()) await sweep()
    this.#passes += 1
  }

  readonly #mayGoOn = (): boolean => !this.#isStopped

  #schedule(afterMs: number): void {
    this.#timer = setTimeout(() => {
      this.#pass = this.prune()
        .catch((error: unknown) => this.#options.log.warn({ err: error }, 'pruning failed; it is tried again'))
        .then(() => {
          if (!this.#isStopped) this.#schedule(this.#options.periodMs ?? 3_600_000)
        })
    }, afterMs).unref()
  }

  /** Bytes are counted off the manager's thread, in slices: no counter is kept for every unit that ends. */
  async #measureExcess(): Promise<{ bytes: number }> {
    const { reader, settings } = this.#options
    let bytes = -settings.keep_bytes
    for (let after: number | null = 0; after !== null && this.#mayGoOn(); ) {
      const slice: { bytes: number; lastSeq: number | null } = await reader.readStoredBytes(after, bytesSliceUnits)
      bytes += slice.bytes
      after = slice.lastSeq
    }
    return { bytes }
  }

  /** @returns the next jobs to delete and by which rule; null when there is none now. */
  #nextBatch(excess: { readonly bytes: number }): { readonly ids: string[]; readonly rule: Rule } | null {
    const { store, settings } = this.#options
    const { completed, failed, cancelled } = store.readStateCounts()
    const tooMany = completed + failed + cancelled - settings.keep_jobs
    const acknowledged = store.oldestAcknowledged()
    const ids: string[] = []
    let rule: Rule | null = null
    for (const record of store.readOldestFinalJobs(batchSize)) {
      const reason = this.#reasonFor(record, ids.length < tooMany, excess.bytes > 0 && ids.length === 0)
      if (reason === null || (rule !== null && reason !== rule)) break
      // Ends are acknowledged in their order: those that follow are not either.
      if (!this.#isAcknowledged(record, acknowledged)) break
      rule = reason
      ids.push(record.job.id)
    }
    return rule === null ? null : { ids, rule }
  }

  #reasonFor({ job }: FinalJobRecord, isTooMany: boolean, isTooLarge: boolean): Rule | null {
    const { clock, settings } = this.#options
    if ((job.finishedAt ?? 0) < clock.now() - settings.keep_age) return 'age'
    if (isTooMany) return 'count'
    return isTooLarge ? 'bytes' : null
  }

  #isAcknowledged({ job, settledEvent }: FinalJobRecord, acknowledged: number | null): boolean {
    if (acknowledged === null || settledEvent <= acknowledged) return true
    return (job.finishedAt ?? 0) < this.#options.clock.now() - 2 * this.#options.settings.keep_age
  }

  async #pruneDurations(): Promise<void> {
    const { store, commits, clock, settings } = this.#options
    const before = clock.now() - durationsKeptTimes * settings.keep_age
    const last = await commits.run(() => store.pruneDurations(before, this.#afterHash, durationsSlice))
    this.#afterHash = last ?? ''
  }
}
