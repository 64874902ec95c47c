import { QueueError } from '../../domain/errors.ts'
import type { GpuNeed, GpuOutlook } from '../../domain/ports/remote-executor.ts'
import type { GpuWorkerEntry, GpuWorkerStatus, GpuWorkerTest } from '../../domain/wire/gpu.ts'
import type { CogClient } from '../cog-client.ts'
import type { FleetAccess, Reservation } from '../fleet-access.ts'
import { type WorkerClient, WorkerFault } from '../worker-client.ts'
import { checkEntry } from '../worker-entry.ts'
import { createWorkersFile, type WorkersFile } from '../workers-file.ts'
import { type BreakerFile, createBreakerFile } from './breaker-file.ts'
import type { FleetContext } from './context.ts'
import type { FleetOptions } from './create-fleet.ts'
import { FleetWorker } from './fleet-worker.ts'
import { outlookOf, standingOf } from './outlook.ts'
import { testWorker } from './test-worker.ts'
import type { WorkerWay } from './worker-look.ts'
import { statusOf } from './worker-status.ts'

/** Between two looks at the file of workers, ms, however often something is asked. */
const rereadMs = 250

type FleetSetting = Required<FleetOptions> & Pick<FleetContext, 'timeouts' | 'pace'>

export class Fleet implements FleetAccess {
  readonly #options: FleetSetting
  readonly #context: FleetContext
  readonly #file: WorkersFile
  readonly #breakers: BreakerFile
  readonly #closing = new AbortController()
  readonly #listeners: (() => void)[] = []
  /** Attempts of this queue by worker, removed workers included. */
  readonly #running = new Map<string, number>()
  #workers: ReadonlyMap<string, FleetWorker> = new Map()
  #trouble: QueueError | null = null
  /** Workers have been read once. */
  #begun = false
  #readAt = Number.NEGATIVE_INFINITY
  #wanted: readonly GpuNeed[] = []
  #told = ''
  #ticker: NodeJS.Timeout | null = null
  #changing = false

  constructor(options: FleetSetting) {
    this.#options = options
    this.#context = {
      ...options,
      changed: () => this.#changed(),
      breakerChanged: () => this.#keepBreakers(),
      closing: this.#closing.signal,
    }
    this.#file = createWorkersFile(options.paths.gpuWorkers)
    this.#breakers = createBreakerFile(options.paths.gpuBreakers, options.warn)
    this.#refresh()
  }

  isConfigured(): boolean {
    this.#refresh()
    // A file that cannot be read was meant to name some.
    return this.#workers.size > 0 || this.#trouble !== null
  }

  placesFor(need: GpuNeed): number {
    this.#refresh()
    let places = 0
    for (const worker of this.#workers.values()) {
      const standing = standingOf(worker, need)
      if (standing.kind === 'ready') places += standing.free
    }
    return places
  }

  outlookOf(need: GpuNeed): GpuOutlook {
    this.#refresh()
    return outlookOf([...this.#workers.values()], need, this.#trouble?.message ?? null)
  }

  want(needs: readonly GpuNeed[]): void {
    const wasIdle = this.#wanted.length === 0
    this.#wanted = needs
    if (needs.length === 0 || this.#closing.signal.aborted) {
      if (this.#ticker !== null) clearInterval(this.#ticker)
      this.#ticker = null
      return
    }
    if (this.#ticker === null) {
      this.#ticker = setInterval(() => this.#tick(), this.#options.pace.tickMs)
      this.#ticker.unref()
    }
    this.#refresh()
    for (const worker of this.#workers.values()) {
      if (wasIdle) worker.rouse()
      worker.lookIfDue()
    }
    this.#told = this.#outlooks()
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  status(): readonly GpuWorkerStatus[] {
    this.#refresh()
    const trouble = this.#trouble
    const statuses = [...this.#workers.values()].map(statusOf)
    if (trouble === null) return statuses
    const problem = `what was read before holds, since ${trouble.message}`
    return statuses.map((status) => ({ ...status, problem: status.problem ?? problem }))
  }

  async test(name: string | null): Promise<readonly GpuWorkerTest[]> {
    this.#reread()
    if (this.#trouble !== null) throw this.#trouble
    const chosen = name === null ? [...this.#workers.values()] : [this.#known(name)]
    return Promise.all(chosen.map((worker) => this.#test(worker)))
  }

  async #test(worker: FleetWorker): Promise<GpuWorkerTest> {
    const own = worker.running
    const { told, outcome } = await testWorker(worker.name, worker.entry, this.#context)
    // The configuration may have changed meanwhile.
    if (this.#workers.get(worker.name) === worker && !this.#closing.signal.aborted) {
      if (outcome instanceof WorkerFault) worker.fail(outcome, 1)
      else worker.proved(outcome, own)
      this.#changed()
    }
    return told
  }

  async add(name: string, entry: GpuWorkerEntry): Promise<void> {
    const checked = await checkEntry(name, entry, this.#options.keySources)
    this.#file.write(new Map([...this.#file.read(), [name, checked]]))
    this.#reread()
  }

  async remove(name: string): Promise<void> {
    const entries = new Map(this.#file.read())
    if (!entries.delete(name)) throw this.#unknown(name, [...entries.keys()])
    this.#file.write(entries)
    this.#reread()
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.want([])
    await Promise.all([...this.#workers.values()].map((worker) => worker.close()))
  }

  reserve(need: GpuNeed, exclude: ReadonlySet<string>): Reservation | null {
    this.#refresh()
    let best: { readonly worker: FleetWorker; readonly free: number } | null = null
    for (const worker of this.#workers.values()) {
      if (exclude.has(worker.name)) continue
      const standing = standingOf(worker, need)
      if (standing.kind === 'ready' && (best === null || standing.free > best.free))
        best = { worker, free: standing.free }
      // What is known of it is too old: the next attempt finds it known.
      if (standing.kind === 'checking') worker.lookIfDue()
    }
    return best === null ? null : this.#take(best.worker.name, best.worker.look?.mode ?? 'full')
  }

  occupy(worker: string): Reservation {
    const cog = this.#workers.get(worker)?.entry.cog_type !== undefined
    return this.#take(worker, cog ? 'cog' : 'full')
  }

  #take(name: string, mode: 'full' | 'cog'): Reservation {
    this.#count(name, 1)
    let held = true
    return {
      worker: name,
      mode,
      release: () => {
        if (!held) return
        held = false
        this.#count(name, -1)
        this.#changed()
      },
    }
  }

  #count(name: string, change: 1 | -1): void {
    const running = (this.#running.get(name) ?? 0) + change
    if (running > 0) this.#running.set(name, running)
    else this.#running.delete(name)
    const worker = this.#workers.get(name)
    if (worker !== undefined) worker.running = running
  }

  clientOf(worker: string): WorkerClient | null {
    return this.#wayOf(worker)?.client ?? null
  }

  cogClientOf(worker: string): CogClient | null {
    return this.#wayOf(worker)?.cog ?? null
  }

  #wayOf(name: string): WorkerWay | null {
    this.#refresh()
    try {
      return this.#workers.get(name)?.way() ?? null
    } catch {
      // A certificate file that is gone; looks and tests say so.
      return null
    }
  }

  entryOf(worker: string): GpuWorkerEntry | null {
    this.#refresh()
    return this.#workers.get(worker)?.entry ?? null
  }

  reportFault(worker: string, fault: WorkerFault): void {
    this.#workers.get(worker)?.report(fault)
  }

  reportSuccess(worker: string): void {
    this.#workers.get(worker)?.alive()
  }

  #tick(): void {
    this.#refresh()
    for (const worker of this.#workers.values()) worker.lookIfDue()
    // Some answers change by time alone.
    const told = this.#outlooks()
    if (told !== this.#told) this.#changed()
    this.#told = told
  }

  #outlooks(): string {
    return JSON.stringify(this.#wanted.map((need) => [this.outlookOf(need), this.placesFor(need)]))
  }

  #refresh(): void {
    const now = this.#options.clock.monotonic()
    if (now - this.#readAt < rereadMs) return
    this.#readAt = now
    this.#reread()
  }

  /** A file that cannot be read leaves everything as it was, and is told of. */
  #reread(): void {
    let entries: ReadonlyMap<string, GpuWorkerEntry>
    try {
      entries = this.#file.read()
      this.#trouble = null
    } catch (error) {
      if (!(error instanceof QueueError)) throw error
      if (this.#trouble?.message !== error.message) this.#options.warn(error.message)
      this.#trouble = error
      return
    }
    const before = this.#workers
    const same = (name: string, entry: GpuWorkerEntry): FleetWorker | null => {
      const worker = before.get(name)
      return worker !== undefined && JSON.stringify(worker.entry) === JSON.stringify(entry) ? worker : null
    }
    const after = new Map<string, FleetWorker>()
    for (const [name, entry] of entries) after.set(name, same(name, entry) ?? this.#join(name, entry))
    if (after.size === before.size && [...after].every(([name, worker]) => before.get(name) === worker)) return
    this.#workers = after
    this.#begun = true
    for (const [name, worker] of before) if (after.get(name) !== worker) worker.retire()
    this.#keepBreakers()
    if (this.#wanted.length > 0) for (const worker of after.values()) worker.lookIfDue()
    this.#changed()
  }

  #join(name: string, entry: GpuWorkerEntry): FleetWorker {
    // An entry that a person just changed is asked at once; only one from before a restart has a past.
    const kept = this.#begun ? null : this.#breakers.of(name, entry.url)
    return new FleetWorker(name, entry, this.#context, kept, this.#running.get(name) ?? 0)
  }

  #keepBreakers(): void {
    this.#breakers.write(
      [...this.#workers.values()]
        .filter(({ breaker }) => breaker.hasHistory())
        .map((worker) => ({ name: worker.name, url: worker.entry.url, state: worker.breaker.toJSON() })),
    )
  }

  /** Many changes of one turn are told once. */
  #changed(): void {
    if (this.#changing || this.#closing.signal.aborted) return
    this.#changing = true
    queueMicrotask(() => {
      this.#changing = false
      for (const listener of this.#listeners) listener()
    })
  }

  #known(name: string): FleetWorker {
    const worker = this.#workers.get(name)
    if (worker === undefined) throw this.#unknown(name, [...this.#workers.keys()])
    return worker
  }

  #unknown(name: string, names: readonly string[]): QueueError {
    const known = names.length === 0 ? 'none is configured' : `there are ${names.slice(0, 20).join(', ')}`
    return new QueueError('invalid_input', `there is no GPU worker "${name.slice(0, 60)}"; ${known}`, {
      remedy: 'See list_gpu_workers; add one with "nightkiln gpu add NAME URL --key-file FILE".',
    })
  }
}
