import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Clock } from '../../domain/clock.ts'
import { QueueError } from '../../domain/errors.ts'
import type { Job } from '../../domain/job.ts'
import type { JobStore } from '../../domain/ports/job-store.ts'
import type { OpenSource } from '../../domain/ports/source-store.ts'
import { endJobOfBrokenSource } from './broken-source.ts'
import type { Commit, CommitQueue } from './commit-queue.ts'
import { createSourceReader, type ReadSlice, type SourceReader } from './source-readers.ts'
import { UnitKeys } from './unit-keys.ts'

export interface UnitFeederOptions {
  readonly store: JobStore
  readonly commits: CommitQueue
  readonly clock: Clock
  readonly createId: () => string
  /** The state directory: spool files are named relative to it. */
  readonly home: string
  readonly log: Logger
}

/** Sources that take turns; further ones wait until one of these is done. */
const sourcesAtOnce = 32
const firstSlice = 250
const smallestSlice = 25
const largestSlice = 2_000
/** A slice and its commit hold the event loop for about this long, ms. */
const holdMs = 7
const retryMs = 1_000
const lookPauseMs = 50

/** A source that is being fed. */
interface Feeding {
  readonly source: OpenSource
  readonly reader: SourceReader
  readonly keys: UnitKeys
  cursor: number
  /** Items read so far, known ones included. */
  taken: number
}

/** `refused`: the job takes no more. */
type SliceOutcome = 'more' | 'done' | 'held' | 'refused'

/**
 * Turns open sources into units while their jobs run: one after the other a slice each, every slice a commit of its own, so that
 * a million units delay nobody. Every commit holds the cursor, so that a killed manager's successor goes on there.
 */
export class UnitFeeder {
  readonly #options: UnitFeederOptions
  readonly #feeding = new Map<number, Feeding>()
  /** Sources whose job takes no more. */
  readonly #closed = new Set<number>()
  #sliceSize = firstSlice
  #woken = false
  #lookedAt = 0
  #started = false
  #stopped = false
  #active = false
  #running: Promise<void> = Promise.resolve()

  constructor(options: UnitFeederOptions) {
    this.#options = options
  }

  start(): void {
    this.#started = true
    this.wake()
  }

  /** There may be a source to feed: one was added, or its job was approved. */
  wake(): void {
    this.#woken = true
    if (!this.#started || this.#stopped || this.#active) return
    this.#active = true
    this.#running = this.#run()
  }

  /** Resolves when no slice is on its way any more. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }

  async #run(): Promise<void> {
    try {
      while (!this.#stopped && (this.#woken || this.#feeding.size > 0)) {
        if (this.#woken && this.#mayLook()) this.#lookAgain()
        for (const feeding of [...this.#feeding.values()]) {
          if (this.#stopped) break
          await this.#feed(feeding)
        }
      }
    } catch (error) {
      // What was committed is known to the store alone: begin there.
      this.#feeding.clear()
      this.#options.log.warn({ err: error }, 'adding units failed; trying again')
      setTimeout(() => this.wake(), retryMs).unref()
    }
    this.#active = false
  }

  /** Every slice wakes the feeder; to read all sources each time would cost more than the slice. */
  #mayLook(): boolean {
    return this.#feeding.size === 0 || this.#options.clock.monotonic() - this.#lookedAt >= lookPauseMs
  }

  #lookAgain(): void {
    this.#woken = false
    this.#lookedAt = this.#options.clock.monotonic()
    const open = this.#options.store.readOpenSources(sourcesAtOnce).filter(({ seq }) => !this.#closed.has(seq))
    const seqs = new Set(open.map(({ seq }) => seq))
    for (const seq of [...this.#feeding.keys()]) if (!seqs.has(seq)) this.#feeding.delete(seq)
    for (const source of open) if (!this.#feeding.has(source.seq)) this.#feeding.set(source.seq, this.#begin(source))
  }

  #begin(source: OpenSource): Feeding {
    return {
      source,
      reader: createSourceReader(source.source, this.#options.home),
      keys: new UnitKeys(source.options, this.#options.createId),
      cursor: source.cursor,
      taken: source.added + source.skipped,
    }
  }

  async #feed(feeding: Feeding): Promise<void> {
    const { source } = feeding
    let outcome: SliceOutcome
    try {
      const slice = await feeding.reader.read(feeding.cursor, this.#sliceSize)
      assertWhole(feeding, slice)
      outcome = await this.#insert(feeding, slice)
    } catch (error) {
      if (!(error instanceof QueueError) || error.code !== 'storage_refused') throw error
      await this.#endBroken(source, error)
      outcome = 'done'
    }
    if (outcome === 'more') return
    this.#feeding.delete(source.seq)
    if (outcome === 'held') return
    this.#closed.add(source.seq)
    // Its place is free for another.
    this.#woken = true
    // What a cancelled job did not take stays for a rerun, until the job is deleted.
    if (outcome === 'refused' || source.source.kind !== 'spool') return
    await rm(join(this.#options.home, source.source.file), { force: true })
  }

  async #insert(feeding: Feeding, slice: ReadSlice): Promise<SliceOutcome> {
    const { store, commits, clock } = this.#options
    const began = clock.monotonic()
    let problems = 0
    const units = slice.items.map(({ value }) =>
      feeding.keys.unitOfAny(value, (error) => {
        if (problems === 0) this.#options.log.warn({ err: error, jobId: feeding.source.job.id }, 'a unit has no key')
        problems += 1
      }),
    )
    const preparedMs = clock.monotonic() - began
    const work = (commit: Commit): SliceOutcome => {
      const insertBegan = clock.monotonic()
      const job = store.readJob(feeding.source.job.id)
      if (job === null) return 'done'
      const taken = Math.min(units.length, roomIn(job))
      if (taken === 0 && units.length > 0) return 'held'
      const isDone = slice.atEnd && taken === units.length
      const cursor = slice.items[taken - 1]?.cursor ?? feeding.cursor
      const batch = { units: units.slice(0, taken), cursor, done: isDone }
      if (store.insertUnits(feeding.source.seq, batch, clock.now()) === null) return 'refused'
      // Its own share alone: the group may hold the claims and ends of what was added before.
      const tookMs = preparedMs + clock.monotonic() - insertBegan
      commit.afterCommit(() => {
        feeding.cursor = cursor
        feeding.taken += taken
        if (units.length === this.#sliceSize) this.#adapt(tookMs)
      })
      return isDone ? 'done' : 'more'
    }
    return commits.run(work)
  }

  #adapt(tookMs: number): void {
    const wanted = this.#sliceSize * Math.min(1.5, holdMs / Math.max(1, tookMs))
    this.#sliceSize = Math.round(Math.min(largestSlice, Math.max(smallestSlice, wanted)))
  }

  async #endBroken(source: OpenSource, error: QueueError): Promise<void> {
    const { store, commits, clock, log } = this.#options
    log.error({ err: error, jobId: source.job.id }, 'the rest of the units is lost; the job is ended')
    await commits.run(() => endJobOfBrokenSource(store, source.job.id, clock.now()))
  }
}

/** In its test phase a job gets its test units and no more. */
function roomIn(job: Job): number {
  if (job.testUnits === null || job.decision !== null) return Number.POSITIVE_INFINITY
  return Math.max(0, job.testUnits - job.counts.total)
}

/** A file that was cut at the end of a line looks whole; the count tells. */
function assertWhole({ source, taken }: Feeding, { items, atEnd }: ReadSlice): void {
  if (!atEnd || taken + items.length === source.source.total) return
  throw new QueueError(
    'storage_refused',
    `a source of job ${source.job.id} ends after ${taken + items.length} of ${source.source.total} units`,
    { remedy: 'Submit the rest as a new job; list_units shows what was added.' },
  )
}
